import type { Sink } from '../../core/conn.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import { HunkReader } from '../../protocol/grpc/hunk-reader.ts'
import { hunkRoom, writeHunks } from '../../protocol/grpc/hunk-writer.ts'

/**
 * A stream in the messages of a gRPC call. The call ends as a whole: peers take the end of one half for the end of both, so
 * below is a stream of HTTP/2 whose half-close is 'none'.
 */
export class GrpcConn extends WrappedConn {
  readonly #reader = new HunkReader()

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const messages = await this.base.read()
      if (!messages) {
        this.#reader.end()
        return null
      }
      const bytes = this.#reader.read(messages)
      if (bytes.length > 0) return bytes
    }
  }

  async drainTo(sink: Sink): Promise<void> {
    await this.base.drainTo((messages) => {
      const bytes = this.#reader.read(messages)
      if (bytes.length > 0) return sink(bytes)
    })
    this.#reader.end()
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const pooled = takeBuffer(hunkRoom(bytes.length))
    const end = writeHunks(bytes, pooled.bytes)
    release?.()
    return this.base.write(pooled.bytes.subarray(0, end), pooled.release)
  }
}

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel, Clock, Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import { opcodes } from '../../protocol/websocket/frame.ts'
import { FrameReader } from '../../protocol/websocket/frame-reader.ts'
import { FrameWriter, normalClosure } from '../../protocol/websocket/frame-writer.ts'

export interface WsConnOptions {
  /** Our side: a client masks, with these random bytes. Absent: we are the server. */
  readonly random?: Random
  /** Frames that came with the handshake. Owned. */
  readonly rest: Uint8Array
  /** Between two Pings of ours; 0: none. */
  readonly heartbeatMs: number
  readonly clock: Clock
  /** Where the client is, if it came by a proxy. */
  readonly client?: string | undefined
}

const nothing = new Uint8Array(0)

/**
 * A stream inside WebSocket frames. It cannot end one half: a Close ends both, so closeWrite() sends nothing and the other
 * side is left to its idle limits, as with all peers. destroy() says Close before it hangs up, where there is room for it.
 */
export class WsConn extends WrappedConn {
  readonly #info: ConnInfo
  readonly #reader: FrameReader
  readonly #writer: FrameWriter
  #closing: Promise<void> | undefined
  /** An answer to a Ping that the carrier has not taken: until it has, further Pings get none. */
  #pongHeld = false

  constructor(base: Conn, { random, rest, heartbeatMs, clock, client }: WsConnOptions) {
    super(prefixed(base, rest))
    this.#info = new LayeredInfo(base.info, 'ws', 'none', undefined, client)
    this.#reader = new FrameReader({ masked: !random })
    this.#writer = new FrameWriter(random)
    if (heartbeatMs > 0) this.#beat(heartbeatMs, clock)
  }

  override get info(): ConnInfo {
    return this.#info
  }

  async read(): Promise<Uint8Array | null> {
    while (!this.#reader.ended) {
      const frames = await this.base.read()
      if (frames === null) {
        this.#reader.end()
        return null
      }
      const bytes = this.#open(frames)
      if (bytes.length > 0) return bytes
    }
    return null
  }

  drainTo(sink: Sink): Promise<void> {
    if (this.#reader.ended) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.base
        .drainTo((frames) => {
          // Behind a Close nothing counts, but the carrier is still watched.
          if (this.#reader.ended) return
          const bytes = this.#open(frames)
          const wait = bytes.length > 0 ? sink(bytes) : undefined
          if (!this.#reader.ended) return wait
          if (!wait) return resolve()
          return wait.then(resolve)
        })
        .then(() => {
          this.#reader.end()
          resolve()
        })
        .catch(reject)
    })
  }

  #open(frames: Uint8Array): Uint8Array {
    const bytes = this.#reader.read(frames)
    const ping = this.#reader.takePing()
    if (ping) this.#answer(ping)
    return bytes
  }

  #answer(ping: Uint8Array): void {
    if (this.#pongHeld || this.gone) return
    const taken = (): void => {
      this.#pongHeld = false
    }
    this.#pongHeld = true
    this.base.write(this.#writer.control(opcodes.pong, ping), taken)?.catch(() => {})
  }

  #beat(ms: number, clock: Clock): void {
    let cancel: Cancel = () => {}
    const ping = (): void => {
      cancel = clock.after(ms, ping)
      this.base.write(this.#writer.control(opcodes.ping, nothing), () => {})?.catch(() => {})
    }
    cancel = clock.after(ms, ping)
    this.base.onGone(() => cancel())
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#closing) {
      release?.()
      return Promise.reject(new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    const pooled = takeBuffer(this.#writer.room(bytes.length))
    const end = this.#writer.write(bytes, pooled.bytes)
    release?.()
    return this.base.write(pooled.bytes.subarray(0, end), pooled.release)
  }

  override closeWrite(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.base.write(nothing, resolve)?.catch(() => {})
    })
    return this.#closing
  }

  override destroy(reason?: Error): void {
    if (!this.gone) this.base.write(this.#writer.control(opcodes.close, normalClosure), () => {})?.catch(() => {})
    this.base.destroy(reason)
  }
}

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import { closedInOrder } from '../../net/errors.ts'
import type { BodyReader } from '../../protocol/http/body-reader.ts'
import { chunkRoom, lastChunk, writeChunk } from '../../protocol/http/chunk.ts'

/** Their message behind its head. */
export interface Incoming {
  readonly reader: BodyReader
  /** What came with the head. Owned. */
  readonly rest: Uint8Array
}

export interface MessageConnOptions {
  readonly info: ConnInfo
  /** A promise: their head is still to come, and reading waits for it. */
  readonly incoming: Incoming | Promise<Incoming>
  /** How our body is written; `none`: we have none. */
  readonly outgoing: 'chunked' | 'plain' | 'none'
}

const nothing = new Uint8Array(0)

/**
 * A request and its answer that have a carrier to themselves: what is read is their body, what is written is ours. Our body
 * ends when it is destroyed, and not before: whoever has the other one would take it for the end of both.
 */
export class MessageConn extends WrappedConn {
  readonly #info: ConnInfo
  readonly #outgoing: MessageConnOptions['outgoing']
  readonly #answered: Promise<Incoming> | undefined
  #reader: BodyReader | undefined
  #rest: Uint8Array | undefined
  #closing: Promise<void> | undefined
  #watching = false

  constructor(base: Conn, { info, incoming, outgoing }: MessageConnOptions) {
    super(base)
    this.#info = info
    this.#outgoing = outgoing
    if (incoming instanceof Promise) {
      incoming.catch((error: Error) => base.destroy(error))
      this.#answered = incoming
      return
    }
    this.#take(incoming)
    if (incoming.reader.done) this.#watch()
  }

  override get info(): ConnInfo {
    return this.#info
  }

  #take({ reader, rest }: Incoming): BodyReader {
    if (!this.#reader && rest.length > 0) this.#rest = rest
    this.#reader ??= reader
    return this.#reader
  }

  /** The carrier is read on behind their body: that they hang up is the end of both. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.base.drainTo(ignore).then(
      () => this.#hungUp(),
      () => {},
    )
  }

  #hungUp(): void {
    this.base.destroy(closedInOrder)
  }

  #takeRest(): Uint8Array | undefined {
    const rest = this.#rest
    this.#rest = undefined
    return rest
  }

  async read(): Promise<Uint8Array | null> {
    const reader = this.#reader ?? this.#take(await this.#answered!)
    while (!reader.done) {
      const bytes = this.#takeRest() ?? (await this.base.read())
      if (bytes === null) {
        reader.end()
        this.#hungUp()
        return null
      }
      const content = reader.read(bytes)
      if (content.length > 0) return content
    }
    this.#watch()
    return null
  }

  async drainTo(sink: Sink): Promise<void> {
    const reader = this.#reader ?? this.#take(await this.#answered!)
    const rest = this.#takeRest()
    const first = rest && reader.read(rest)
    if (first && first.length > 0) await sink(first)
    if (reader.done) return this.#watch()
    this.#watching = true
    return new Promise((resolve, reject) => {
      this.base
        .drainTo((bytes) => {
          // Behind the body nothing counts, but the carrier is still watched.
          if (reader.done) return
          const content = reader.read(bytes)
          const wait = content.length > 0 ? sink(content) : undefined
          if (!reader.done) return wait
          if (!wait) return resolve()
          return wait.then(resolve)
        })
        .then(() => {
          if (!reader.done) reader.end()
          resolve()
          this.#hungUp()
        })
        .catch(reject)
    })
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#closing || this.#outgoing === 'none') {
      release?.()
      return Promise.reject(this.gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    if (bytes.length === 0 || this.#outgoing === 'plain') return this.base.write(bytes, release)
    const pooled = takeBuffer(chunkRoom(bytes.length))
    const length = writeChunk(bytes, pooled.bytes)
    release?.()
    return this.base.write(pooled.bytes.subarray(0, length), pooled.release)
  }

  /** Settles when all is handed to the carrier; tells the other side nothing. */
  override closeWrite(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.base.write(nothing, resolve)?.catch(ignore)
    })
    return this.#closing
  }

  override destroy(reason?: Error): void {
    if (!this.gone && this.#outgoing === 'chunked') this.base.write(lastChunk, ignore)?.catch(ignore)
    this.base.destroy(reason)
  }
}

const ignore = (): void => {}

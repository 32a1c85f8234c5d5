import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Conn, ConnInfo, Sink } from '../core/conn.ts'
import { ProxyError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { takeBuffer } from '../core/pool.ts'
import { streamError } from './errors.ts'

/** Bytes read ahead while nobody reads, so that a peer that goes away is noticed during a dial. */
const readAhead = 64 * 1024

/**
 * A Conn over any Node Duplex, by its public interface: 'data', pause() and resume(). TLS sockets and foreign streams
 * use it as it is; SocketConn replaces only where the bytes come from.
 */
export class StreamConn implements Conn {
  /** The stream behind; a layer that takes it over must be its only user from then on. */
  readonly stream: Duplex
  readonly info: ConnInfo
  #sink: Sink | undefined
  #reader: { resolve(value: Uint8Array | null): void; reject(error: Error): void } | undefined
  #drain: { resolve(): void; reject(error: Error): void } | undefined
  /** What the sink asked to wait for. A stream may tell of its end meanwhile, though it is paused. */
  #sinkBusy: Promise<void> | undefined
  readonly #queue: Uint8Array[] = []
  #queued = 0
  #ended = false
  #gone: Error | undefined
  #highWater: number = limits.writeHighWater
  #writable: { promise: Promise<void>; resolve(): void; reject(error: Error): void } | undefined
  #closing: Promise<void> | undefined
  #abort: AbortController | undefined

  constructor(stream: Duplex, info: ConnInfo) {
    this.stream = stream
    this.info = info
    stream.pause()
    stream.on('end', this.#onEnd)
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
    this.listen()
  }

  /** Connects the source of bytes to `deliver`. */
  protected listen(): void {
    this.stream.on('data', this.#onData)
  }

  /**
   * Gives up the stream to a layer that replaces this Conn (TLS runs on a socket natively). Only before the first read or
   * write; afterwards this Conn only tells, by its signal, when the stream is gone.
   */
  surrender(): Duplex {
    this.stream.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError)
    return this.stream
  }

  protected resumeReading(): void {
    this.stream.resume()
  }

  /** Takes one batch; false: read no more until resumeReading(). `owned` bytes may be kept, others are lent. */
  protected deliver(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#sink) return this.#feed(this.#sink, bytes)
    const kept = owned ? bytes : bytes.slice()
    if (this.#reader) {
      const { resolve } = this.#reader
      this.#reader = undefined
      resolve(kept)
      return true
    }
    this.#queue.push(kept)
    this.#queued += kept.length
    return this.#queued < readAhead
  }

  #feed(sink: Sink, bytes: Uint8Array): boolean {
    let wait: void | Promise<void>
    try {
      wait = sink(bytes)
    } catch (error) {
      this.#endDrain(error as Error)
      return false
    }
    if (!wait) return true
    this.#sinkBusy = wait
    wait.then(
      () => {
        this.#sinkBusy = undefined
        if (this.#ended) this.#endDrain()
        else if (this.#sink && !this.#gone) this.resumeReading()
      },
      (error: Error) => {
        this.#sinkBusy = undefined
        this.#endDrain(error)
      },
    )
    return false
  }

  async read(): Promise<Uint8Array | null> {
    const queued = this.#queue.shift()
    if (queued) {
      this.#queued -= queued.length
      return queued
    }
    if (this.#ended) return null
    if (this.#gone) throw this.#gone
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
      this.resumeReading()
    })
  }

  async drainTo(sink: Sink): Promise<void> {
    for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
      this.#queued -= bytes.length
      await sink(bytes)
    }
    if (this.#ended) return
    if (this.#gone) throw this.#gone
    return new Promise((resolve, reject) => {
      this.#sink = sink
      this.#drain = { resolve, reject }
      this.resumeReading()
    })
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#gone || this.#closing) {
      release?.()
      return Promise.reject(this.#gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    let held = bytes
    let done = release
    if (!done) {
      const pooled = takeBuffer(bytes.length)
      pooled.bytes.set(bytes)
      held = pooled.bytes.subarray(0, bytes.length)
      done = pooled.release
    }
    const finished = done
    this.stream.write(held, () => {
      finished()
      this.#wakeWriters()
    })
    // Already 0 after a write that the carrier took at once, though its callback is still to come.
    if (this.stream.writableLength > this.#highWater) return this.#whenWritable()
  }

  holdAtMost(bytes: number): void {
    this.#highWater = bytes
    this.#wakeWriters()
  }

  #wakeWriters(): void {
    if (!this.#writable || this.stream.writableLength > this.#highWater / 2) return
    this.#writable.resolve()
    this.#writable = undefined
  }

  #whenWritable(): Promise<void> {
    if (!this.#writable) {
      let resolve = () => {}
      let reject: (error: Error) => void = () => {}
      const promise = new Promise<void>((yes, no) => {
        resolve = yes
        reject = no
      })
      this.#writable = { promise, resolve, reject }
    }
    return this.#writable.promise
  }

  closeWrite(): Promise<void> {
    if (this.#closing) return this.#closing
    if (this.#gone) return Promise.resolve()
    this.#closing = new Promise((resolve) => {
      this.stream.once('close', () => resolve())
      this.stream.end(() => resolve())
    })
    return this.#closing
  }

  destroy(reason?: Error): void {
    this.#onGone(reason ?? new ProxyError('CONN_CLOSED', 'the connection was closed by this side'))
    this.stream.destroy()
  }

  hold(alive: boolean): void {
    const { ref, unref } = this.stream as Partial<Pick<Socket, 'ref' | 'unref'>>
    const change = alive ? ref : unref
    change?.call(this.stream)
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#gone) this.#abort.abort(this.#gone)
    }
    return this.#abort.signal
  }

  readonly #onData = (chunk: Uint8Array): void => {
    // A plain Uint8Array, because slice() of a Buffer does not copy, and whoever keeps lent bytes relies on it.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    if (!this.deliver(bytes, true)) this.stream.pause()
  }

  readonly #onError = (error: Error): void => this.#onGone(streamError(error, this.info.remote))

  readonly #onClose = (): void => {
    const gone = () =>
      this.#onGone(new ProxyError('CONN_CLOSED', `connection with ${this.info.remote || 'the peer'} is closed`))
    // Closed in order, and the sink still has the last bytes.
    if (this.#ended && this.#sinkBusy) this.#sinkBusy.then(gone, gone)
    else gone()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#reader?.resolve(null)
    this.#reader = undefined
    if (!this.#sinkBusy) this.#endDrain()
  }

  #onGone(error: Error): void {
    if (this.#gone) return
    this.#gone = error
    this.#reader?.reject(error)
    this.#reader = undefined
    this.#endDrain(error)
    this.#writable?.reject(error)
    this.#writable = undefined
    this.#abort?.abort(error)
  }

  #endDrain(error?: Error): void {
    const drain = this.#drain
    this.#drain = undefined
    this.#sink = undefined
    if (error) drain?.reject(error)
    else drain?.resolve()
  }
}

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { lend } from '../../core/streams/lend.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { closedHere, closedInOrder, streamError } from '../errors.ts'
import { ReadAhead } from './read-ahead.ts'
import { hearData, hearEvents, type StreamEvents, unhear } from './stream-events.ts'
import { WriteGate } from './write-gate.ts'

/** Bytes read ahead while nobody reads, so that a peer that goes away is noticed during a dial. */
const readAhead = limits.firstRead

/** A Conn over any Node Duplex, by 'data', pause() and resume(); for TLS and foreign streams. SocketConn replaces where bytes come from. */
export class StreamConn implements Conn, StreamEvents {
  /** The stream behind; a layer that takes it over must be its only user from then on. */
  readonly stream: Duplex
  readonly info: ConnInfo
  readonly #life = new Life()
  #sink: Sink | undefined
  #reader: { resolve(value: Uint8Array | null): void; reject(error: Error): void } | undefined
  #drain: { resolve(): void; reject(error: Error): void } | undefined
  /** What the sink asked to wait for. A stream may tell of its end meanwhile, though it is paused. */
  #sinkBusy: Promise<void> | undefined
  /** Read ahead, or come before anybody read. */
  #ahead: ReadAhead | undefined
  #ended = false
  #peerHalf: Life | undefined
  readonly #gate = new WriteGate()
  #closing: Promise<void> | undefined
  #closeDone: (() => void) | undefined

  constructor(stream: Duplex, info: ConnInfo) {
    this.stream = stream
    this.info = info
    if (stream.readableFlowing !== false) stream.pause()
    hearEvents(stream, this)
    this.listen()
  }

  /** Connects the source of bytes to `deliver`. */
  protected listen(): void {
    hearData(this.stream)
  }

  /**
   * Gives up the stream to a layer that replaces this Conn (TLS and HTTP/2 run on a socket natively), with what was read put
   * back: ahead, and as `first`, owned, by somebody. Not after write(), drainTo() or the end; then it only tells of its end.
   */
  surrender(first?: Uint8Array): Duplex {
    if (first && first.length > 0) this.takeBack(first)
    const stream = unhear(this.stream)
    this.#ahead?.returnTo(stream)
    this.#ahead = undefined
    return stream
  }

  takeBack(bytes: Uint8Array): void {
    this.#ahead ??= new ReadAhead()
    this.#ahead.unshift(bytes)
  }

  protected resumeReading(): void {
    this.stream.resume()
  }

  /** Takes one batch; false: read no more until resumeReading(). TLS has decrypted more: it is kept. `owned` bytes may be kept, others are lent. */
  protected deliver(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#sink && !this.#sinkBusy) return this.#feed(this.#sink, bytes)
    const kept = owned ? bytes : bytes.slice()
    if (this.#reader) {
      this.#reader.resolve(kept)
      this.#reader = undefined
      return true
    }
    this.#ahead ??= new ReadAhead()
    this.#ahead.push(kept)
    return this.#ahead.size < readAhead && !this.#sinkBusy
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
      () => this.#goOn(),
      (error: Error) => {
        this.#sinkBusy = undefined
        this.#endDrain(error)
      },
    )
    return false
  }

  /** The sink is ready for more. */
  #goOn(): void {
    this.#sinkBusy = undefined
    while (this.#sink && this.#ahead) {
      const bytes = this.#takeQueued()
      if (bytes && !this.#feed(this.#sink, bytes)) return
    }
    if (this.#ended) this.#endDrain()
    else if (this.#sink && !this.gone) this.resumeReading()
  }

  #takeQueued(): Uint8Array | undefined {
    const bytes = this.#ahead?.shift()
    if (!bytes) this.#ahead = undefined
    return bytes
  }

  read(): Promise<Uint8Array | null> {
    const queued = this.#takeQueued()
    if (queued || this.#ended) return Promise.resolve(queued ?? null)
    if (this.gone) return Promise.reject(this.gone)
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
      this.resumeReading()
    })
  }

  drainTo(sink: Sink): Promise<void> {
    for (let bytes = this.#takeQueued(); bytes; bytes = this.#takeQueued()) {
      const wait = lend(bytes, sink)
      if (wait) return wait.then(() => this.drainTo(sink))
    }
    if (this.#ended) return Promise.resolve()
    if (this.gone) return Promise.reject(this.gone)
    return new Promise((resolve, reject) => {
      this.#sink = sink
      this.#drain = { resolve, reject }
      this.resumeReading()
    })
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.gone || this.#closing) {
      release?.()
      return Promise.reject(this.gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    if (!release) {
      const copy = takeBuffer(bytes.length)
      copy.bytes.set(bytes)
      return this.write(copy.bytes.subarray(0, bytes.length), copy.release)
    }
    this.stream.write(bytes, () => {
      release()
      this.#gate.wake(this.stream.writableLength)
    })
    // Already 0 after a write that the carrier took at once, though its callback is still to come.
    return this.#gate.wait(this.stream.writableLength)
  }

  holdAtMost(bytes: number): void {
    this.#gate.holdAtMost(bytes, this.stream.writableLength)
  }

  closeWrite(): Promise<void> {
    if (this.#closing) return this.#closing
    if (this.gone) return Promise.resolve()
    this.#closing = new Promise((resolve) => {
      this.#closeDone = resolve
      this.stream.end(resolve)
    })
    return this.#closing
  }

  destroy(reason?: Error): void {
    this.#end(reason ?? closedHere)
    this.drop()
  }

  /** Frees the stream, whose Conn is gone. May be called again. */
  protected drop(): void {
    this.stream.destroy()
  }

  hold(alive: boolean): void {
    const { ref, unref } = this.stream as Partial<Pick<Socket, 'ref' | 'unref'>>
    void (alive ? ref : unref)?.call(this.stream)
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  onEnded(run: () => void): Cancel {
    this.#peerHalf ??= new Life()
    if (this.#ended) this.#peerHalf.end(closedInOrder)
    else if (!this.gone && (this.#ahead?.size ?? 0) < readAhead) this.resumeReading()
    return this.#peerHalf.onGone(run)
  }

  closed(): void {
    this.#closeDone?.()
    if (this.gone) return
    // In order, and the sink may still have the last bytes.
    if (this.#ended && this.#sinkBusy) void this.#sinkBusy.catch(() => {}).then(() => this.closed())
    else if (this.#ended) this.#end(closedInOrder)
    else this.#end(new ProxyError('CONN_CLOSED', `connection with ${this.info.remote || 'the peer'} is closed`))
  }

  broken(error: Error): void {
    if (!this.gone) this.#end(streamError(error, this.info.remote))
  }

  ended(): void {
    this.#ended = true
    this.#reader?.resolve(null)
    this.#reader = undefined
    if (!this.#sinkBusy) this.#endDrain()
    this.#peerHalf?.end(closedInOrder)
  }

  #end(error: Error): void {
    if (this.gone) return
    this.#reader?.reject(error)
    this.#reader = undefined
    this.#endDrain(error)
    this.#gate.fail(error)
    this.#life.end(error)
  }

  #endDrain(error?: Error): void {
    const drain = this.#drain
    this.#drain = this.#sink = undefined
    if (error) drain?.reject(error)
    else drain?.resolve()
  }

  received(bytes: Uint8Array): void {
    if (!this.deliver(bytes, true)) this.stream.pause()
  }
}

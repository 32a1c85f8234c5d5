import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'
import type { TimerWheel } from '../../core/time/timer-wheel.ts'
import type { KcpSession } from '../../protocol/kcp/session.ts'
import { KcpReading } from './reading.ts'

export interface KcpConnOptions {
  readonly session: KcpSession
  readonly clock: Clock
  /** Timers of all connections of a carrier. */
  readonly wheel: TimerWheel
  readonly info: ConnInfo
  /** Its last datagram was sent: nobody needs to hear for it any more. */
  readonly over: () => void
}

/**
 * A stream of mKCP. It cannot end one half: closeWrite() sends nothing, as with all peers. When it is destroyed the session
 * lives on for a while to deliver what was written, and to tell the peer.
 */
export class KcpConn implements Conn {
  readonly info: ConnInfo
  readonly #session: KcpSession
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  readonly #over: () => void
  readonly #life = new Life()
  readonly #peerHalf = new Life()
  readonly #reading: KcpReading
  #hold: number = limits.writeHighWater
  #writable: Deferred<void> | undefined
  #closing: Deferred<void> | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #cancelTimer: Cancel = nothing

  constructor({ session, clock, wheel, info, over }: KcpConnOptions) {
    this.info = info
    this.#session = session
    this.#clock = clock
    this.#wheel = wheel
    this.#over = over
    this.#reading = new KcpReading(session, clock, () => this.#after())
    this.#arm()
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  onEnded(run: () => void): Cancel {
    return this.#peerHalf.onGone(run)
  }

  /** Segments of the peer; lent. */
  receive(segments: Uint8Array): void {
    this.#session.input(segments, this.#clock.elapsed())
    this.#after()
  }

  /** The other end has shown who it is. */
  widen(): void {
    this.#session.widen()
    this.#arm()
  }

  /** It is over at once, and the peer is not told. */
  drop(why: Error): void {
    this.#session.drop()
    this.destroy(why)
  }

  read(): Promise<Uint8Array | null> {
    if (this.gone) return Promise.reject(this.gone)
    const read = this.#reading.read()
    this.#after()
    return read
  }

  drainTo(sink: Sink): Promise<void> {
    if (this.gone) return Promise.reject(this.gone)
    const drained = this.#reading.drainTo(sink)
    this.#after()
    return drained
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const error = this.gone ?? this.#cannotWrite()
    if (error) {
      release?.()
      return Promise.reject(error)
    }
    this.#session.write(bytes, this.#clock.elapsed())
    release?.()
    this.#arm()
    if (this.#mayWrite) return
    this.#writable ??= deferred()
    return this.#writable.promise
  }

  #cannotWrite(): ProxyError | undefined {
    if (this.#closing) return new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite')
    return this.#session.writable ? undefined : peerClosed()
  }

  get #mayWrite(): boolean {
    if (this.#hold === Number.POSITIVE_INFINITY) return true
    return this.#session.hasRoom && this.#session.unsentBytes <= this.#hold
  }

  holdAtMost(bytes: number): void {
    this.#hold = bytes
    this.#wakeWriters()
  }

  closeWrite(): Promise<void> {
    this.#closing ??= deferred()
    this.#wakeWriters()
    return this.#closing.promise
  }

  destroy(reason: Error = new ProxyError('CONN_CLOSED', 'the mKCP connection was closed')): void {
    if (this.gone) return
    this.#session.close(this.#clock.elapsed())
    this.#fail(reason)
    this.#arm()
  }

  #fail(why: Error): void {
    const [writable, closing] = [this.#writable, this.#closing]
    this.#writable = undefined
    this.#life.end(why)
    this.#peerHalf.end(why)
    this.#reading.fail(why)
    writable?.reject(why)
    closing?.resolve()
  }

  /** Whatever may have changed: something can be read, or written, or it is over. */
  #after(): void {
    if (!this.gone) this.#reading.deliver()
    if (!this.gone) {
      this.#wakeWriters()
      this.#lookForEnd()
    }
    this.#arm()
  }

  #wakeWriters(): void {
    if (this.#writable && !this.#session.writable) {
      this.#writable.reject(peerClosed())
      this.#writable = undefined
    } else if (this.#writable && this.#mayWrite) {
      this.#writable.resolve()
      this.#writable = undefined
    }
    if (this.#closing && this.#session.unsentBytes === 0) this.#closing.resolve()
  }

  #lookForEnd(): void {
    const { state, peerEnded, readable } = this.#session
    if (state !== 'active') this.#peerHalf.end(peerClosed())
    if (state === 'active' || state === 'peerClosed') return
    if (state === 'closing') {
      this.#fail(new ProxyError('CONN_RESET', 'the peer has been silent for 30 s'))
      return
    }
    if (peerEnded && !readable) this.#reading.end()
    if (state !== 'peerTerminating') this.#fail(peerClosed())
  }

  /** Has the session called when it wants to be. */
  #arm(): void {
    const { nextAt } = this.#session
    if (nextAt === Number.POSITIVE_INFINITY) {
      this.#cancelTimer()
      this.#cancelTimer = nothing
      this.#timerAt = nextAt
      this.#ended()
      return
    }
    if (nextAt >= this.#timerAt) return
    this.#cancelTimer()
    this.#timerAt = nextAt
    this.#cancelTimer = this.#wheel.after(nextAt - this.#clock.elapsed(), this.#turn)
  }

  readonly #turn = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#cancelTimer = nothing
    const now = this.#clock.elapsed()
    if (now >= this.#session.nextAt) this.#session.turn(now)
    this.#after()
  }

  #isOver = false
  #ended(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#over()
  }
}

const nothing = (): void => {}

const peerClosed = (): ProxyError => new ProxyError('CONN_RESET', 'the peer has closed the mKCP connection')

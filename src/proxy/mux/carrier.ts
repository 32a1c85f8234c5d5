import type { Address } from '../../core/address.ts'
import type { Conn, ConnInfo } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { nextTurn } from '../../core/time/turn.ts'
import { FrameDecoder } from '../../protocol/mux/frame-decoder.ts'
import { endLength, writeEnd } from '../../protocol/mux/frame-encoder.ts'
import type { DataUse, Frame } from '../../protocol/mux/model.ts'
import { type Fill, FrameBatch } from './frame-batch.ts'
import { Intake } from './intake.ts'

/** One sub-stream, as its carrier sees it. None of these may throw. */
export interface Substream {
  /** Bytes that it would have the carrier hold; see Conn.holdAtMost(). */
  readonly holdsAtMost: number
  /** A Keep: what to do with its data, which comes with data(). */
  keep(frame: Frame): DataUse
  data(lent: Uint8Array): void
  /** The other side's End; more than one may come. */
  peerEnded(error: boolean): void
  /**
   * It is over without anything having to be sent: the session has become another one, or the carrier is gone.
   * @param orderly the carrier has ended, and not in the middle of something
   */
  lost(why: ProxyError, orderly: boolean): void
}

/** What makes the two ends of a carrier different. */
export interface CarrierEvents {
  /** A New has come. The sub-stream to be, which is attached and gets the data, or undefined: it is passed over. */
  opened(frame: Frame): Substream | undefined
  /** One sub-stream fewer. */
  detached?(): void
  /** A sub-stream ended because it was not read. */
  stalled?(target: Address): void
}

/** A connection that carries sub-streams: frames to and from its table of sessions. Both ends are made of it. */
export class Carrier implements Lifetime {
  readonly intake: Intake
  readonly clock: Clock
  readonly #base: Conn
  readonly #events: CarrierEvents
  readonly #life = new Life()
  readonly #table = new Map<number, Substream>()
  readonly #decoder: FrameDecoder
  #current: Substream | undefined
  /** The session that was told last that nobody knows it: its sender has more under way. */
  #disowned = -1
  #waits = 0
  /** How many more frames it takes in this turn of the event loop. */
  #inTurn: number = limits.unitsPerTurn
  #answered: Promise<void> | undefined
  readonly #batch = new FrameBatch((frames, release) => {
    if (this.#life.gone) release()
    else this.#watch(this.#base.write(frames, release))?.catch(() => {})
  })

  constructor(base: Conn, clock: Clock, events: CarrierEvents) {
    this.#base = base
    this.#events = events
    this.clock = clock
    this.intake = new Intake(clock)
    this.#decoder = new FrameDecoder({ frame: (frame) => this.#frame(frame), data: (lent) => this.#data(lent) })
  }

  get info(): ConnInfo {
    return this.#base.info
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void) {
    return this.#life.onGone(run)
  }

  /** Sub-streams in use. */
  get size(): number {
    return this.#table.size
  }

  /** Whether the connection has asked to wait: datagrams are better dropped now. */
  get congested(): boolean {
    return this.#waits > 0
  }

  /** Reads until the connection ends or frames make no sense; then every sub-stream is lost. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#base.drainTo((batch) => this.#take(batch))
      this.#decoder.end()
      this.#end(new ProxyError('CONN_CLOSED', 'the carrier of the sub-stream was closed'), true)
    } catch (error) {
      this.destroy(toProxyError(error, 'CONN_CLOSED'))
    }
  }

  attach(session: number, substream: Substream): void {
    this.#table.set(session, substream)
    if (this.#disowned === session) this.#disowned = -1
  }

  detach(session: number, substream: Substream): void {
    if (this.#table.get(session) !== substream) return
    this.#table.delete(session)
    if (this.#current === substream) this.#current = undefined
    this.#events.detached?.()
  }

  /** The session is unknown to us: its sender shall give it up. */
  refuse(session: number, error: boolean): void {
    const frame = new Uint8Array(endLength)
    writeEnd(frame, 0, session, error)
    this.#batch.flush()
    const wait = this.#watch(this.#base.write(frame))
    if (wait) this.#answered = wait.catch(() => {})
  }

  /**
   * Lets `fill` write at most `room` bytes of frames; `done` when the connection has taken them. As Conn.write(). What is short leaves
   * with the rest of this turn of the event loop, unless the connection has asked to wait: then its writer waits as well.
   */
  write(room: number, fill: Fill, done?: () => void): void | Promise<void> {
    if (room <= joinedMax && !this.congested) {
      this.#batch.add(room, fill, done)
      return
    }
    this.#batch.flush()
    const pooled = takeBuffer(room)
    const release = done ? () => [pooled.release(), done()] : pooled.release
    return this.#watch(this.#base.write(pooled.bytes.subarray(0, fill(pooled.bytes, 0)), release))
  }

  /** As write(), for a datagram, whose sender never waits. */
  writeSoon(room: number, fill: Fill): void {
    this.#batch.add(room, fill)
  }

  /** The connection holds what the most generous of its sub-streams allows. */
  adjustHold(): void {
    let most = 0
    for (const substream of this.#table.values()) most = Math.max(most, substream.holdsAtMost)
    this.#base.holdAtMost(most)
  }

  noteStall(target: Address): void {
    this.#events.stalled?.(target)
  }

  /** Ends it in order; to be called when no sub-stream is left. */
  close(): void {
    const end = () => this.destroy(new ProxyError('CONN_CLOSED', 'the carrier has no sub-streams left'))
    this.#batch.flush()
    this.#life.onGone(this.clock.after(limits.flushMs, end))
    Promise.resolve(this.#base.closeWrite()).then(end, end)
  }

  destroy(why: ProxyError): void {
    this.#end(why, false)
  }

  #end(why: ProxyError, orderly: boolean): void {
    if (this.#life.gone) return
    this.#life.end(why)
    this.#current = undefined
    for (const [session, substream] of [...this.#table]) {
      substream.lost(why, orderly)
      this.detach(session, substream)
    }
    this.intake.stop()
    this.#base.destroy(why)
  }

  #take(batch: Uint8Array): void | Promise<void> {
    const at = this.#decoder.push(batch)
    return at < batch.length ? this.#takeLater(new Uint8Array(batch.subarray(at))) : this.#pause()
  }

  /** What a pause has left of a batch: taken bit by bit, so that who reads slowly pauses us often, but never for long. */
  async #takeLater(rest: Uint8Array): Promise<void> {
    for (let at = 0; at < rest.length; at = this.#decoder.push(rest, at)) await this.#pause()
    await this.#pause()
  }

  #data(lent: Uint8Array): void {
    this.#current?.data(lent)
    if (this.intake.pause) this.#decoder.stop()
  }

  #pause(): Promise<void> | undefined {
    const { pause } = this.intake
    const answered = this.#answered
    this.#answered = undefined
    const wait = pause && answered ? Promise.all([pause, answered]).then(() => {}) : (pause ?? answered)
    if (this.#inTurn > 0) return wait
    this.#inTurn = limits.unitsPerTurn
    return wait ?? nextTurn()
  }

  #watch(wait: void | Promise<void>): void | Promise<void> {
    if (!wait) return
    this.#waits++
    const settled = () => void this.#waits--
    wait.then(settled, settled)
    return wait
  }

  #frame(frame: Frame): DataUse {
    this.#current = undefined
    if (this.#life.gone) return 'skip'
    if (--this.#inTurn <= 0) this.#decoder.stop()
    const known = this.#table.get(frame.session)
    switch (frame.status) {
      case 'new':
        return this.#new(frame, known)
      case 'keep':
        return known ? this.#keep(frame, known) : this.#disown(frame)
      case 'end':
        known?.peerEnded(frame.error)
        return 'skip'
      default:
        return 'skip'
    }
  }

  #new(frame: Frame, known: Substream | undefined): DataUse {
    const opened = this.#events.opened(frame)
    if (!opened) return 'skip'
    known?.lost(new ProxyError('CONN_RESET', 'the client uses the session for another sub-stream'), false)
    return this.#keep(frame, opened)
  }

  #keep(frame: Frame, substream: Substream): DataUse {
    const use = substream.keep(frame)
    this.#current = use === 'skip' ? undefined : substream
    return use
  }

  #disown({ session, dataLength }: Frame): DataUse {
    if (dataLength > 0 && this.#disowned !== session) {
      this.#disowned = session
      this.refuse(session, false)
    }
    return 'skip'
  }
}

/** What a carrier holds of a sub-stream that has not said otherwise. */
export const holdDefault = limits.writeHighWater

/** Frames of at most so many bytes wait for the end of the turn: a system call and a chunk cost more than their copy. */
const joinedMax = 2 * 1024

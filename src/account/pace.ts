import type { Cancel, Clock } from '../core/env.ts'
import type { Lifetime } from '../core/lifetime.ts'
import type { Pace } from '../core/streams/meter.ts'
import { type Pooled, takeBuffer } from '../core/streams/pool.ts'
import { type Bucket, OwnBucket } from './bucket.ts'
import { Shares } from './shares.ts'

type Write = (piece: Uint8Array) => void | Promise<void>

interface Settle {
  resolve(): void
  reject(error: unknown): void
  /** Leaves the queue. */
  abandon(): void
}

/** A piece takes this long at the speed of the limit, and after a silence no more than this passes at once, ms. */
const pieceMs = 50
/** Pieces are not smaller than this, bytes, unless it takes longer than a second to save up for them. */
const pieceMin = 4096
/** For so long a late timer is made up for, ms: longer pauses of the process are lost, not followed by a flood. */
const catchUpMs = 50
/** By so much datagrams may be ahead of the limit, ms: a burst passes, and what comes after it makes up for it. */
const debtMs = 100
/** Nobody waits for less than this, ms: small batches pass several at a time. */
const waitMinMs = 5

/**
 * A speed limit that all connections of a user share, one for each direction: a bucket that fills at the rate, and a queue
 * in front of it. Connections that wait take turns by the bytes that they were given, so none starves, whatever the size
 * of its batches.
 */
export class SpeedLimit implements Pace {
  readonly #clock: Clock
  /** Bytes per second; 0: no limit. */
  #rate = 0
  /** What may pass now: others may take from it, too. */
  readonly #bucket: Bucket
  /** Those who wait, in the order of their `start`. */
  readonly #queue: Turn[] = []
  /** Bytes that a connection that never paused has been given; a newcomer begins here. */
  #start = 0
  /** Where each connection stands, each by the one it is written to. */
  readonly #ends = new WeakMap<Lifetime, number>()
  #cancel: Cancel | undefined
  readonly #shares = new Shares()

  /** @param bucket one that several threads take from; one of its own unless given */
  constructor(clock: Clock, bucket: Bucket = new OwnBucket(() => clock.elapsed())) {
    this.#clock = clock
    this.#bucket = bucket
  }

  get rate(): number {
    return this.#rate
  }

  /** Holds at once: who waits goes on at the new speed, or without one. */
  set rate(rate: number) {
    if (rate === this.#rate) return
    this.#fill()
    this.#rate = rate
    this.#serve()
  }

  pass(bytes: Uint8Array, write: Write, to: Lifetime): void | Promise<void> {
    this.#fill()
    if (this.#queue.length === 0 && bytes.length <= this.#pieceSize && this.#take(bytes.length, to)) {
      return write(bytes)
    }
    if (to.gone) return Promise.reject(to.gone)
    return new Promise((resolve, reject) => {
      const turn = new Turn(bytes, write, to, { resolve, reject, abandon: () => this.#drop(turn) })
      this.#join(turn)
      this.#serve()
    })
  }

  holds(to: Lifetime): boolean {
    return this.#queue.some((turn) => turn.to === to)
  }

  admit(bytes: number, to: Lifetime): boolean {
    this.#fill()
    if (this.#rate === 0) return true
    const share = this.#shares.of(to, this.#clock.elapsed(), this.#rate, this.#queue.length)
    // Who has had a share may have what is left over: the upper half of the bucket, while no stream waits for it.
    const enough = share.left > 0 ? -this.#rate * debtMs : this.#capacity / 2
    if (share.left <= 0 && this.#queue.length > 0) return false
    if (!this.#bucket.take(bytes * 1000, enough + 1)) return false
    share.take(bytes)
    return true
  }

  get #pieceSize(): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY
    return Math.ceil(Math.max((this.#rate * pieceMs) / 1000, Math.min(pieceMin, this.#rate)))
  }

  get #capacity(): number {
    const late = this.#queue.length > 0 ? catchUpMs : 0
    return this.#pieceSize * 1000 + this.#rate * late
  }

  #fill(): void {
    this.#bucket.fill(this.#rate, this.#capacity, this.#queue.length)
  }

  /** Books `bytes` for a connection, if they may pass now. */
  #take(bytes: number, to: Lifetime): boolean {
    if (this.#rate > 0) {
      if (!this.#bucket.take(bytes * 1000, bytes * 1000)) return false
      this.#start = this.#startOf(to)
      this.#ends.set(to, this.#start + bytes)
    }
    return true
  }

  #startOf(to: Lifetime): number {
    return Math.max(this.#start, this.#ends.get(to) ?? 0)
  }

  #join(turn: Turn): void {
    turn.start = this.#startOf(turn.to)
    let [low, high] = [0, this.#queue.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#queue[middle]!.start <= turn.start) low = middle + 1
      else high = middle
    }
    this.#queue.splice(low, 0, turn)
  }

  #drop(turn: Turn): void {
    const at = this.#queue.indexOf(turn)
    if (at >= 0) this.#queue.splice(at, 1)
    if (at === 0) this.#serve()
  }

  /** Lets those in front go as far as the bucket reaches, and comes back when it is full enough for the next. */
  #serve(): void {
    this.#fill()
    for (let turn = this.#queue[0]; turn; turn = this.#queue[0]) {
      const size = Math.min(turn.left, this.#pieceSize)
      if (!this.#take(size, turn.to)) break
      this.#queue.shift()
      this.#give(turn, size)
    }
    this.#cancel?.()
    const next = this.#queue[0]
    this.#cancel = next && this.#clock.after(this.#waitMs(next), () => this.#serve())
  }

  #waitMs(turn: Turn): number {
    const missing = Math.min(turn.left, this.#pieceSize) * 1000 - this.#bucket.credit
    return Math.max(waitMinMs, Math.ceil(missing / (this.#rate * this.#bucket.share)))
  }

  #give(turn: Turn, size: number): void {
    const wait = turn.give(size)
    if (wait) wait.then(() => this.#again(turn), turn.fail)
    else this.#goOn(turn)
  }

  #again(turn: Turn): void {
    this.#goOn(turn)
    if (this.#queue[0] === turn) this.#serve()
  }

  #goOn(turn: Turn): void {
    if (turn.left === 0) turn.done()
    else if (!turn.over) this.#join(turn)
  }
}

/** What is left of one batch, copied because it was only lent. */
class Turn {
  readonly to: Lifetime
  start = 0
  over = false
  readonly #pooled: Pooled
  readonly #write: Write
  readonly #settle: Settle
  readonly #leave: Cancel
  readonly #length: number
  #at = 0

  constructor(bytes: Uint8Array, write: Write, to: Lifetime, settle: Settle) {
    this.#pooled = takeBuffer(bytes.length)
    this.#pooled.bytes.set(bytes)
    this.#length = bytes.length
    this.#write = write
    this.to = to
    this.#settle = settle
    this.#leave = to.onGone(this.#onGone)
  }

  get left(): number {
    return this.#length - this.#at
  }

  /** Writes the next `size` bytes; never throws. */
  give(size: number): void | Promise<void> {
    const piece = this.#pooled.bytes.subarray(this.#at, this.#at + size)
    this.#at += size
    try {
      return this.#write(piece)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  done(): void {
    if (this.#end()) this.#settle.resolve()
  }

  readonly fail = (error: unknown): void => {
    if (this.#end()) this.#settle.reject(error)
  }

  readonly #onGone = (why: Error): void => {
    this.fail(why)
    this.#settle.abandon()
  }

  #end(): boolean {
    if (this.over) return false
    this.over = true
    this.#leave()
    this.#pooled.release()
    return true
  }
}

import { type Draw, draw, type Range } from './model.ts'

/** Limits of connections that many streams share; 0: none. A range is drawn from once for each connection, or once for all. */
export interface SlotLimits {
  /** Streams at once on one, drawn once for all. */
  readonly maxConcurrency: Range
  /** Connections to have before any is used again, drawn once for all. */
  readonly maxConnections: Range
  /** Streams in its life. */
  readonly cMaxReuseTimes: Range
  /** Requests in its life. */
  readonly hMaxRequestTimes: Range
  /** Seconds after which it gets no new stream. */
  readonly hMaxReusableSecs: Range
}

/** A connection and what it may still be used for. */
export interface Slot<T> {
  readonly use: T
  /** Streams on it. */
  running: number
  usesLeft: number
  requestsLeft: number
  readonly until: number
}

export interface SlotDeps<T> {
  readonly random: Draw
  /** Milliseconds that have passed. */
  elapsed(): number
  open(): T
  closed(use: T): boolean
  /** It gets no further stream; those on it go on. */
  retired(slot: Slot<T>): void
}

/** Which connection the next stream goes to, by Xray's rules of `xmux`. */
export class Slots<T> {
  readonly #limits: SlotLimits
  readonly #deps: SlotDeps<T>
  readonly #concurrency: number
  readonly #connections: number
  #slots: readonly Slot<T>[] = []

  constructor(limits: SlotLimits, deps: SlotDeps<T>) {
    this.#limits = limits
    this.#deps = deps
    this.#concurrency = draw(deps.random, limits.maxConcurrency)
    this.#connections = draw(deps.random, limits.maxConnections)
  }

  /** Those that may be used again. */
  get size(): number {
    return this.#slots.length
  }

  take(): Slot<T> {
    const { closed, retired, random } = this.#deps
    const usable = (slot: Slot<T>): boolean => !closed(slot.use) && slot.usesLeft > 0 && this.fresh(slot)
    const kept = this.#slots.filter(usable)
    for (const slot of this.#slots) if (!kept.includes(slot)) retired(slot)
    this.#slots = kept
    const free = this.#concurrency > 0 ? kept.filter(({ running }) => running < this.#concurrency) : kept
    const slot = free.length === 0 || kept.length < this.#connections ? this.#add() : free[random.below(free.length)]!
    slot.usesLeft--
    return slot
  }

  /** Whether it may have further requests. */
  fresh({ requestsLeft, until }: Slot<T>): boolean {
    return requestsLeft > 0 && this.#deps.elapsed() < until
  }

  #add(): Slot<T> {
    const { random, elapsed, open } = this.#deps
    const limitOf = (range: Range): number => draw(random, range) || Number.POSITIVE_INFINITY
    const slot = {
      use: open(),
      running: 0,
      usesLeft: limitOf(this.#limits.cMaxReuseTimes),
      requestsLeft: limitOf(this.#limits.hMaxRequestTimes),
      until: elapsed() + limitOf(this.#limits.hMaxReusableSecs) * 1000,
    }
    this.#slots = [...this.#slots, slot]
    return slot
  }
}

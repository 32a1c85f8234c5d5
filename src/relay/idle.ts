import type { Cancel, Clock } from '../core/env.ts'

/** Idle limits of one flow, milliseconds. */
export interface RelayLimits {
  readonly connIdleMs: number
  /** After the downlink ended. */
  readonly uplinkOnlyMs: number
  /** After the uplink ended. */
  readonly downlinkOnlyMs: number
}

/** What an idle timer watches. */
export interface Idling {
  /** Nothing has passed for the whole limit. */
  expired(): void
  /** It is this side that lets nothing pass, so the limit is not held against the flow. */
  held(): boolean
}

/** Ends a flow that carries nothing. Activity costs one number; the timer looks at it only when it fires. */
export class IdleTimer {
  readonly #clock: Clock
  readonly #of: Idling
  #limitMs: number
  #lastActive: number
  #cancel: Cancel | undefined
  #stopped = false

  constructor(clock: Clock, limitMs: number, of: Idling) {
    this.#clock = clock
    this.#of = of
    this.#limitMs = limitMs
    this.#lastActive = clock.elapsed()
    this.#arm(limitMs)
  }

  /** Something passed. */
  touch(): void {
    this.#lastActive = this.#clock.elapsed()
  }

  /** From now on another limit holds, counted anew. */
  limit(ms: number): void {
    if (this.#stopped) return
    this.#limitMs = ms
    this.#lastActive = this.#clock.elapsed()
    this.#arm(ms)
  }

  /** For good. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #arm(ms: number): void {
    if (this.#stopped) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => this.#look())
  }

  #look(): void {
    const left = this.#lastActive + this.#limitMs - this.#clock.elapsed()
    if (left > 0) this.#arm(left)
    else if (this.#of.held()) this.#arm(this.#limitMs)
    else this.#of.expired()
  }
}

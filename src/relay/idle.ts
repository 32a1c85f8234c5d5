import type { Cancel, Clock } from '../core/env.ts'

/** Ends a flow that carries nothing. Activity costs one number; the timer looks at it only when it fires. */
export class IdleTimer {
  readonly #clock: Clock
  readonly #expired: () => void
  readonly #held: () => boolean
  #limitMs: number
  #lastActive: number
  #cancel: Cancel | undefined
  #stopped = false

  /** While `held` says that it is this side that lets nothing pass, the limit is not held against the flow. */
  constructor(clock: Clock, limitMs: number, expired: () => void, held: () => boolean) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#expired = expired
    this.#held = held
    this.#lastActive = clock.now()
    this.#arm(limitMs)
  }

  /** A byte passed. */
  touch(): void {
    this.#lastActive = this.#clock.now()
  }

  /** From now on another limit holds, counted anew. */
  limit(ms: number): void {
    this.#limitMs = ms
    this.#lastActive = this.#clock.now()
    this.#arm(ms)
  }

  /** For good: a limit that is set afterwards does not hold. */
  stop(): void {
    this.#cancel?.()
    this.#stopped = true
  }

  #arm(ms: number): void {
    if (this.#stopped) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => {
      const left = this.#lastActive + this.#limitMs - this.#clock.now()
      if (left > 0) this.#arm(left)
      else if (this.#held()) this.#arm(this.#limitMs)
      else this.#expired()
    })
  }
}

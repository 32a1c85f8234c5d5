import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

/** One try at something that may be out of order. Ends with at most one of these, or with BackOff.reset(). */
export interface Attempt {
  failed(): void
  /** Given up for a reason that says nothing about what was tried. */
  undecided(): void
}

/**
 * How long to stay away from something that fails: `limits.backOffFirstMs` after the first failure, twice as long after
 * each further one up to `maxMs`, shortened by up to a quarter so that many clients do not come back at once.
 */
export class BackOff {
  readonly #env: Pick<Env, 'clock' | 'random'>
  readonly #maxMs: number
  #failures = 0
  #dueMs = 0

  constructor(env: Pick<Env, 'clock' | 'random'>, maxMs: number = limits.backOffMaxMs) {
    this.#env = env
    this.#maxMs = maxMs
  }

  /** Milliseconds until the next attempt should be made; 0 when it may be made now. */
  get waitMs(): number {
    const left = this.#dueMs - this.#env.clock.elapsed()
    return Math.max(0, left)
  }

  /**
   * An attempt begins. Failures of attempts that ran side by side count once, and those of attempts made although it was
   * not time do not count: only time spent out of order makes the pauses longer.
   */
  begin(): Attempt {
    const before = this.#failures
    const inTime = this.waitMs === 0
    const counts = () => inTime && before === this.#failures
    // After a failure one attempt finds out; meanwhile the others stay away.
    if (inTime && before > 0) this.#dueMs = this.#env.clock.elapsed() + limits.attemptMs
    return {
      failed: () => {
        if (counts()) this.failed()
      },
      undecided: () => {
        if (counts() && before > 0) this.#dueMs = this.#env.clock.elapsed()
      },
    }
  }

  /** It failed, in whatever attempt. */
  failed(): void {
    const full = Math.min(limits.backOffFirstMs * 2 ** this.#failures, this.#maxMs)
    this.#failures++
    this.#dueMs = this.#env.clock.elapsed() + full - this.#env.random.below(full / 4)
  }

  /** It works. */
  reset(): void {
    this.#failures = 0
    this.#dueMs = 0
  }
}

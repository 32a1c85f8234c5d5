import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

const { http2ResetBurst: burst, http2ResetsPerSecond: perSecond } = limits

/**
 * How many more streams a client may reset on one connection. Servers on nghttp2 (Node among them) count resets against a rapid
 * flood of them; one too many is GOAWAY(INTERNAL_ERROR) with all streams that are open. Honest clients get there: whoever ends a
 * stream whose other half is open resets it, and so does every connection of V2Ray. So both ends count, on the safe side, and go
 * over to another connection before: the old one ends with its last stream.
 */
export class ResetAllowance {
  readonly #clock: Clock
  #left: number = burst
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.elapsed()
  }

  /** A stream was reset, or may have been. */
  spend(): void {
    const now = this.#clock.elapsed()
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perSecond) - 1
    this.#at = now
  }

  /** Whether it is time to go, with `open` streams that may be reset together. Fewer resets than `reserve` are left then. */
  isShort(open: number, reserve: number): boolean {
    return this.#left - Math.min(open, burst / 2) <= reserve
  }
}

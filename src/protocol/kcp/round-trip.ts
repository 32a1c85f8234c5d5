/** How long an answer takes, and when to give up waiting for one: RFC 6298 in the whole milliseconds of V2Ray. */
export class RoundTrip {
  readonly #leastMs: number
  #smoothedMs = 0
  #variationMs = 0
  #updatedMs = 0
  /** How long to wait for an acknowledgement, ms. */
  rtoMs = 100

  /** @param leastMs the smoothed time is at least this: acknowledgements are not sent more often */
  constructor(leastMs: number) {
    this.#leastMs = leastMs
  }

  /** The smoothed time, ms; 0 before the first. */
  get smoothedMs(): number {
    return this.#smoothedMs
  }

  /** An answer that took `ms`. */
  took(ms: number, nowMs: number): void {
    if (this.#smoothedMs === 0) {
      this.#smoothedMs = ms
      this.#variationMs = Math.floor(ms / 2)
    } else {
      const off = Math.abs(ms - this.#smoothedMs)
      this.#variationMs = Math.floor((3 * this.#variationMs + off) / 4)
      this.#smoothedMs = Math.max(this.#leastMs, Math.floor((7 * this.#smoothedMs + ms) / 8))
    }
    const spread = this.#leastMs < 4 * this.#variationMs ? 4 * this.#variationMs : this.#variationMs
    this.rtoMs = Math.floor((Math.min(this.#smoothedMs + spread, rtoMaxMs) * 5) / 4)
    this.#updatedMs = nowMs
  }

  /** What the peer waits: it may know better than who has measured nothing for a while. */
  heard(rtoMs: number, nowMs: number): void {
    if (nowMs - this.#updatedMs < 3000) return
    this.#updatedMs = nowMs
    this.rtoMs = Math.min(Math.max(rtoMs, rtoMinMs), rtoMaxMs)
  }
}

const rtoMaxMs = 10_000
/** What a peer says may be anything; nobody is to be made to send without a pause. */
const rtoMinMs = 20

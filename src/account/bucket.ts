/** What a speed limit lets pass: fills at its rate, and is taken from as bytes pass. In bytes times 1000, so that whole milliseconds make whole numbers. */
export interface Bucket {
  /** Takes in what has fallen due since the last time. @param waiting connections of this thread that wait for their turn */
  fill(rate: number, capacity: number, waiting: number): void
  /** Takes `amount` out if there is at least `least`; it may fall below nothing then. */
  take(amount: number, least: number): boolean
  /** What can be taken now. */
  readonly credit: number
  /** The part of the rate, above 0 to 1, that falls to this thread while its connections wait. */
  readonly share: number
}

/** The bucket of one thread. */
export class OwnBucket implements Bucket {
  readonly share = 1
  credit = 0
  readonly #elapsed: () => number
  #filledAt = 0

  /** @param elapsed milliseconds */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  fill(rate: number, capacity: number): void {
    const now = this.#elapsed()
    const passed = Math.max(0, now - this.#filledAt)
    this.#filledAt = now
    if (rate > 0) this.credit = Math.min(capacity, this.credit + passed * rate)
  }

  take(amount: number, least: number): boolean {
    if (this.credit < least) return false
    this.credit -= amount
    return true
  }
}

/** A share is worth so many ms at the speed of the limit, divided among those who want one. */
const periodMs = 100

/** What one flow of datagrams may pass within a period whatever the others do. */
export interface Share {
  /** Bytes; below 0 when the last datagram was larger than what was left. */
  readonly left: number
  take(bytes: number): void
}

/**
 * Divides the speed of a user evenly among the flows of datagrams, and the streams that wait, so that one that sends
 * without measure leaves the others theirs. Who was there in the period before is counted as being there now.
 */
export class Shares {
  #flows = new WeakMap<object, FlowShare>()
  #period = -1
  /** Flows seen in this period, and in the one before. */
  #now = 0
  #before = 0

  /** @param waiting streams that want a share, too */
  of(flow: object, nowMs: number, rate: number, waiting: number): Share {
    const period = Math.floor(nowMs / periodMs)
    if (period !== this.#period) {
      this.#before = period === this.#period + 1 ? this.#now : 0
      this.#now = 0
      this.#period = period
    }
    let share = this.#flows.get(flow)
    if (!share) {
      share = new FlowShare()
      this.#flows.set(flow, share)
    }
    if (share.period !== period) {
      this.#now++
      share.begin(period)
    }
    share.size = (rate * periodMs) / 1000 / (Math.max(this.#now, this.#before, 1) + waiting)
    return share
  }
}

class FlowShare implements Share {
  period = -1
  size = 0
  #taken = 0

  /** What was taken too much in one period is missing in the next. */
  begin(period: number): void {
    this.#taken = Math.max(0, this.period === period - 1 ? this.#taken - this.size : 0)
    this.period = period
  }

  get left(): number {
    return this.size - this.#taken
  }

  take(bytes: number): void {
    this.#taken += bytes
  }
}

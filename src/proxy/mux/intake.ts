import type { Cancel, Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

/** A sub-stream as far as it holds bytes that nobody has read. */
export interface Unread {
  /** Bytes held. */
  readonly unread: number
  /** It has kept the others waiting for too long: has to give up what it holds. */
  stall(): void
}

/**
 * Mux.Cool has no window: who does not read one sub-stream stops reading them all. So each may leave bytes unread up to a
 * bound, and all of them together up to another; only then is the carrier paused, and not for longer than `limits.muxStallMs`:
 * the one that is in the way ends, and the others go on.
 */
export class Intake {
  readonly #clock: Clock
  readonly #holders = new Set<Unread>()
  /** Those above their bound, each with its time. */
  readonly #over = new Map<Unread, Cancel>()
  #total = 0
  /** Set while all together are above theirs. */
  #cancelTotal: Cancel | undefined
  #pause: { readonly promise: Promise<void>; readonly resume: () => void } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Settles when the carrier may be read again; undefined: now. */
  get pause(): Promise<void> | undefined {
    return this.#pause?.promise
  }

  /** Bytes that all sub-streams hold. */
  get total(): number {
    return this.#total
  }

  /** To be called when `holder.unread` has changed by `bytes`. */
  changed(holder: Unread, bytes: number): void {
    this.#total += bytes
    if (holder.unread > 0) this.#holders.add(holder)
    else this.#holders.delete(holder)
    this.#judge(holder)
    if (this.#total <= limits.muxUnreadPerCarrier) {
      this.#cancelTotal?.()
      this.#cancelTotal = undefined
    } else {
      this.#cancelTotal ??= this.#clock.after(limits.muxStallMs, () => this.#endLargest())
    }
    if (this.#over.size > 0 || this.#cancelTotal) this.#pause ??= pause()
    else this.#resume()
  }

  /** Forgets all times and lets go of who waits: the carrier is gone. */
  stop(): void {
    for (const cancel of this.#over.values()) cancel()
    this.#over.clear()
    this.#cancelTotal?.()
    this.#resume()
  }

  #judge(holder: Unread): void {
    const cancel = this.#over.get(holder)
    if (holder.unread <= limits.muxUnreadPerStream) {
      cancel?.()
      this.#over.delete(holder)
    } else if (!cancel) {
      this.#over.set(
        holder,
        this.#clock.after(limits.muxStallMs, () => holder.stall()),
      )
    }
  }

  #endLargest(): void {
    this.#cancelTotal = undefined
    let largest: Unread | undefined
    for (const holder of this.#holders) if (!largest || holder.unread > largest.unread) largest = holder
    largest?.stall()
  }

  #resume(): void {
    this.#pause?.resume()
    this.#pause = undefined
  }
}

function pause() {
  let resume = (): void => {}
  const promise = new Promise<void>((resolve) => {
    resume = resolve
  })
  return { promise, resume }
}

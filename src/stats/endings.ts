import type { ErrorCode } from '../core/errors.ts'
import type { Observer } from '../core/observer.ts'

export interface EndingCount {
  readonly inboundTag: string
  readonly reason: ErrorCode
  readonly count: number
}

/** Counts the sessions that ended before their time, by inbound and reason. Those that ended in order are not among them. */
export class Endings {
  readonly #counts = new Map<string, { inboundTag: string; reason: ErrorCode; count: number }>()

  readonly observer: Observer = {
    closed: ({ inboundTag }, _totals, reason) => {
      if (reason) this.#add(inboundTag, reason.code)
    },
  }

  #add(inboundTag: string, reason: ErrorCode): void {
    const key = `${reason} ${inboundTag}`
    const entry = this.#counts.get(key)
    if (entry) entry.count++
    else this.#counts.set(key, { inboundTag, reason, count: 1 })
  }

  [Symbol.iterator](): IterableIterator<EndingCount> {
    return this.#counts.values()
  }
}

/** How workers are kept from taking what the whole program needs: its memory, and its time when they end again and again. */
import { getHeapStatistics } from 'node:v8'
import { limits } from '../../../core/limits.ts'

/** How often within a minute each worker is replaced without a pause. */
const atOnce = 3

/** What one of so many may have of the heap of this thread, MiB. */
export const partOfHeapMb = (workers: number): number =>
  Math.max(limits.workerHeapMinMb, Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20 / workers))

/** For how long those that ended are not replaced. */
export class Pauses {
  readonly #workers: number
  /** When the latest ended, ms. */
  #ended: number[] = []

  constructor(workers: number) {
    this.#workers = workers
  }

  /** Another has ended at this time, ms. At first none waits; where they end one after the other it is not made worse by haste. */
  next(now: number): number {
    this.#ended = [...this.#ended.filter((at) => now - at < 60_000), now]
    const over = this.#ended.length - atOnce * this.#workers
    return over <= 0 ? 0 : Math.min(limits.workerPauseMs, 500 * 2 ** over)
  }
}

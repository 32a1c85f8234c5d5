import type { Totals } from '../../../core/session.ts'
import { summedTotals } from './totals.ts'

/** Doubles of one account: two for each thread, and one whose first word puts what they add in an order. */
export const usedTrafficStride = (threads: number): number => 2 * threads + 1

/**
 * What a user has used, counted by several threads, each in cells of its own.
 *
 * For a quota it has to be certain that of two threads that add at once, one sees both: each adds, changes the word that all
 * share by an atomic operation, and then adds up. These operations have an order, and each sees what was written before those
 * ahead of it; so whatever makes the sum exceed the quota is seen to do so by whoever adds it, and does not pass.
 */
export class UsedTraffic {
  readonly totals: Totals
  readonly #own: number
  #cells: Float64Array
  #order: Int32Array

  /** @param slot `usedTrafficStride` doubles of shared memory  @param who this thread, from 0 */
  constructor(slot: Float64Array, who: number) {
    this.#own = 2 * who
    this.#cells = slot.subarray(0, -1)
    this.#order = new Int32Array(slot.buffer, slot.byteOffset + this.#cells.byteLength, 1)
    this.totals = summedTotals(() => this.#cells, who)
  }

  add(direction: keyof Totals, bytes: number): void {
    const at = direction === 'uplink' ? this.#own : this.#own + 1
    this.#cells[at] = this.#cells[at]! + bytes
  }

  /** Adds; what all threads have come to with it, both directions together. */
  spend(direction: keyof Totals, bytes: number): number {
    this.add(direction, bytes)
    Atomics.add(this.#order, 0, 1)
    let sum = 0
    for (let i = 0; i < this.#cells.length; i++) sum += this.#cells[i]!
    return sum
  }

  /** The memory will be another's: what a connection that still ends adds here goes on from where it is, and nobody sees it. */
  detach(): void {
    this.#cells = this.#cells.slice()
    this.#order = new Int32Array(1)
  }
}

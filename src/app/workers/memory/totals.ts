import type { Totals } from '../../../core/session.ts'

/** Totals that several threads add to: two cells for each, uplink and downlink. What is set is made true in the cells of one. */
export function summedTotals(cells: Float64Array | (() => Float64Array), own: number): Totals {
  const now = typeof cells === 'function' ? cells : () => cells
  const sum = (from: 0 | 1): number => {
    const all = now()
    let sum = 0
    for (let i = from; i < all.length; i += 2) sum += all[i]!
    return sum
  }
  const set = (at: 0 | 1, value: number): void => {
    const mine = 2 * own + at
    now()[mine] = now()[mine]! + (value - sum(at))
  }
  // Properties of its own, so that it can be copied like any other.
  return {
    get uplink() {
      return sum(0)
    },
    set uplink(value) {
      set(0, value)
    },
    get downlink() {
      return sum(1)
    },
    set downlink(value) {
      set(1, value)
    },
  }
}

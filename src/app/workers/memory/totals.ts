import type { Totals } from '../../../core/session.ts'

/** Totals that several threads add to: two cells for each, uplink and downlink. What is set is made true in the cells of one. */
export function summedTotals(cells: Float64Array, own: number): Totals {
  const sum = (from: 0 | 1): number => {
    let all = 0
    for (let i = from; i < cells.length; i += 2) all += cells[i]!
    return all
  }
  const set = (at: 0 | 1, value: number): void => {
    cells[2 * own + at] = cells[2 * own + at]! + (value - sum(at))
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

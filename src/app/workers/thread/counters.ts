import { type Counter, Counters } from '../../../stats/counters.ts'
import type { Slots } from '../memory/slots.ts'

/** A counter whose cell the main thread reads. */
class CellCounter implements Counter {
  readonly #cell: Float64Array

  constructor(cell: Float64Array) {
    this.#cell = cell
  }

  get value(): number {
    return this.#cell[0]!
  }

  set value(value: number) {
    this.#cell[0] = value
  }

  add(bytes: number): void {
    this.#cell[0]! += bytes
  }

  take(): number {
    throw new Error('counters are read in the main thread')
  }
}

/** Counters of a worker. @param made told of each before it counts, with its slot */
export const cellCounters = (cells: Slots, made: (name: string, slot: number) => void): Counters =>
  new Counters((name) => {
    const slot = cells.take()
    made(name, slot)
    return new CellCounter(cells.viewOf(slot))
  })

import { type Counter, Counters, counterName } from '../../../stats/counters.ts'
import type { Slots } from '../memory/slots.ts'

/** A counter whose cell the main thread reads. */
class CellCounter implements Counter {
  readonly slot: number
  #cell: Float64Array

  constructor(slot: number, cell: Float64Array) {
    this.slot = slot
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

  /** The cell will be another's: what still adds is lost. */
  detach(): void {
    this.#cell = new Float64Array(1)
  }
}

export interface CellCountersSay {
  /** A counter is about to count in this slot. */
  readonly made: (name: string, slot: number) => void
  /** It does so no more, and the slot will be another's. */
  readonly left: (name: string, slot: number) => void
}

/** Counters of a worker. */
export class CellCounters extends Counters {
  readonly #cells: Slots
  readonly #say: CellCountersSay

  constructor(cells: Slots, say: CellCountersSay) {
    super((name) => {
      const slot = cells.take()
      say.made(name, slot)
      return new CellCounter(slot, cells.viewOf(slot))
    })
    this.#cells = cells
    this.#say = say
  }

  override forget(...[owner, name]: Parameters<Counters['forget']>): void {
    for (const direction of ['uplink', 'downlink'] as const) {
      const full = counterName(owner, name, direction)
      const counter = this.get(full) as CellCounter | undefined
      if (!counter) continue
      counter.detach()
      this.#say.left(full, counter.slot)
      this.#cells.giveBack(counter.slot)
    }
    super.forget(owner, name)
  }
}

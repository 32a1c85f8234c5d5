/**
 * Counters under V2Ray's names, such as `user>>>EMAIL>>>traffic>>>uplink`. A flow holds its counters and adds to them as
 * bytes pass, so reading is free and exact at any moment.
 */

export interface Counter {
  /** Plaintext bytes. */
  value: number
}

export type CounterOwner = 'user' | 'inbound' | 'outbound'
export type Direction = 'uplink' | 'downlink'

export const counterName = (owner: CounterOwner, name: string, direction: Direction): string =>
  `${owner}>>>${name}>>>traffic>>>${direction}`

export class Counters {
  readonly #counters = new Map<string, Counter>()

  /** The counter of this name, made when there is none. */
  of(name: string): Counter {
    let counter = this.#counters.get(name)
    if (!counter) {
      counter = { value: 0 }
      this.#counters.set(name, counter)
    }
    return counter
  }

  get(name: string): Counter | undefined {
    return this.#counters.get(name)
  }

  /** What still adds to it is lost. */
  forget(name: string): void {
    this.#counters.delete(name)
  }

  /** All of them, in the order in which they were made. */
  [Symbol.iterator](): IterableIterator<[name: string, counter: Counter]> {
    return this.#counters.entries()
  }
}

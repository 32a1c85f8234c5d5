/**
 * Counters under V2Ray's names, such as `user>>>EMAIL>>>traffic>>>uplink`. A flow holds its counters and adds to them as
 * bytes pass, so reading is free and exact at any moment.
 */

/** What a flow needs of a counter. */
export interface ByteCounter {
  /** Plaintext bytes that have passed. Answers at once, for every batch: one that others share adds to a part of its own. */
  add(bytes: number): void
}

/** Where flows find their counters: a stand-in can be shared by several threads or machines. */
export interface CounterSource {
  /** The counter of this name, made when there is none. */
  of(name: string): ByteCounter
}

/** A counter of this process. */
export class Counter implements ByteCounter {
  /** Plaintext bytes. */
  value = 0

  add(bytes: number): void {
    this.value += bytes
  }
}

export type CounterOwner = 'user' | 'inbound' | 'outbound'
export type Direction = 'uplink' | 'downlink'

export const counterName = (owner: CounterOwner, name: string, direction: Direction): string =>
  `${owner}>>>${name}>>>traffic>>>${direction}`

export class Counters implements CounterSource {
  readonly #counters = new Map<string, Counter>()

  of(name: string): Counter {
    let counter = this.#counters.get(name)
    if (!counter) {
      counter = new Counter()
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

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
  /** The counter of a user, by e-mail, or of an inbound or outbound, by tag; made when there is none. */
  owned(owner: CounterOwner, name: string, direction: Direction): ByteCounter
}

export interface Counter extends ByteCounter {
  /** Plaintext bytes. */
  value: number
  /** What it has come to; it begins at zero again, and no byte is lost between. */
  take(): number
}

/** A counter of this process. */
export class OwnCounter implements Counter {
  value = 0

  add(bytes: number): void {
    this.value += bytes
  }

  take(): number {
    const { value } = this
    this.value = 0
    return value
  }
}

export type CounterOwner = 'user' | 'inbound' | 'outbound'
export type Direction = 'uplink' | 'downlink'

export const counterName = (owner: CounterOwner, name: string, direction: Direction): string =>
  `${owner}>>>${name}>>>traffic>>>${direction}`

/** Counters that a flow adds to, by direction. */
export interface FlowCounters {
  readonly uplink: readonly ByteCounter[]
  readonly downlink: readonly ByteCounter[]
}

export class Counters implements CounterSource {
  readonly #counters = new Map<string, Counter>()
  /** The same by owner and direction: a flow finds its own without a name being put together. */
  readonly #owned: Readonly<Record<CounterOwner, Readonly<Record<Direction, Map<string, Counter>>>>> = {
    user: { uplink: new Map(), downlink: new Map() },
    inbound: { uplink: new Map(), downlink: new Map() },
    outbound: { uplink: new Map(), downlink: new Map() },
  }

  readonly #make: (name: string) => Counter

  /** @param make a counter of this name; one of this process unless given */
  constructor(make: (name: string) => Counter = () => new OwnCounter()) {
    this.#make = make
  }

  owned(owner: CounterOwner, name: string, direction: Direction): Counter {
    const known = this.#owned[owner][direction].get(name)
    if (known) return known
    const counter = this.of(counterName(owner, name, direction))
    this.#owned[owner][direction].set(name, counter)
    return counter
  }

  /** The counter of this name, made when there is none. */
  of(name: string): Counter {
    let counter = this.#counters.get(name)
    if (!counter) {
      counter = this.#make(name)
      this.#counters.set(name, counter)
    }
    return counter
  }

  get(name: string): Counter | undefined {
    return this.#counters.get(name)
  }

  /** What still adds to them is lost. */
  forget(owner: CounterOwner, name: string): void {
    for (const direction of ['uplink', 'downlink'] as const) {
      this.#owned[owner][direction].delete(name)
      this.#counters.delete(counterName(owner, name, direction))
    }
  }

  /** All of them, in the order in which they were made. */
  [Symbol.iterator](): IterableIterator<[name: string, counter: Counter]> {
    return this.#counters.entries()
  }
}

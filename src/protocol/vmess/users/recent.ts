import { limits } from '../../../core/limits.ts'
import { createKeySearch } from '../../../crypto/key-search/create.ts'

/** Slots of the users who were let in last, with their keys once more, so that one search over a few finds most clients. */
export class RecentUsers {
  readonly #keys = createKeySearch()
  /** Slot of the user in each place. */
  readonly #slots: number[] = []
  readonly #places = new Map<number, number>()
  /** Whether the user in a place was let in since the hand passed it. */
  readonly #again = new Uint8Array(limits.recentUsers)
  /** The place that is looked at next for one whom nobody has seen for long (the clock algorithm). */
  #hand = 0

  /** The slot of the one among them whose key opens `block`, or -1. */
  find(block: Uint8Array): number {
    const place = this.#keys.find(block, 0, this.#slots.length)
    return place < 0 ? -1 : this.#slots[place]!
  }

  /** This user was let in. @param key of the user, asked for only where it is not among them */
  seen(slot: number, key: () => Uint8Array): void {
    const known = this.#places.get(slot)
    if (known !== undefined) {
      this.#again[known] = 1
      return
    }
    const place = this.#slots.length < limits.recentUsers ? this.#slots.length : this.#oldest()
    this.#places.delete(this.#slots[place] ?? -1)
    this.#slots[place] = slot
    this.#places.set(slot, place)
    this.#keys.set(place, key())
  }

  /** This slot is empty now, or somebody else's. */
  forget(slot: number): void {
    const place = this.#places.get(slot)
    if (place === undefined) return
    this.#places.delete(slot)
    this.#slots[place] = -1
    this.#keys.clear(place)
    this.#again[place] = 0
  }

  #oldest(): number {
    for (;;) {
      const place = this.#hand
      this.#hand = (place + 1) % limits.recentUsers
      if (this.#again[place] === 0) return place
      this.#again[place] = 0
    }
  }
}

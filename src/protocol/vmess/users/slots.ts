/** Who has an id: what a directory keeps in a slot. */
interface Identified {
  /** 16 bytes. */
  readonly id: Uint8Array
}

const smallest = 16

/**
 * Users in numbered slots: found by their id, walked in the order in which they came. The slot of one who leaves goes to the
 * next who comes. Next to the users themselves one costs some 50 bytes: a table of numbers, not a text for each id.
 */
export class Slots<U extends Identified> {
  readonly #users: (U | undefined)[] = []
  readonly #order = new Set<number>()
  readonly #free: number[] = []
  /** By their ids (open addressing, at most half full): slot + 1, 0 where there is none. */
  #table = new Int32Array(smallest)

  get size(): number {
    return this.#order.size
  }

  /** Behind the last slot that was ever used. */
  get end(): number {
    return this.#users.length
  }

  at(slot: number): U | undefined {
    return this.#users[slot]
  }

  /** The slot of the user with this id, or -1. */
  find(id: Uint8Array): number {
    return this.#table[this.#place(id)]! - 1
  }

  /** @param user whose id nobody has. Returns its slot. */
  add(user: U): number {
    if (2 * (this.size + 1) > this.#table.length) this.#resize(2 * this.#table.length)
    const slot = this.#free.pop() ?? this.#users.length
    this.#users[slot] = user
    this.#order.add(slot)
    this.#table[this.#place(user.id)] = slot + 1
    return slot
  }

  /** @param user with the id of the one in this slot */
  replace(slot: number, user: U): void {
    this.#users[slot] = user
  }

  /** @param slot that is taken */
  remove(slot: number): void {
    this.#leave(this.#place(this.#users[slot]!.id))
    this.#users[slot] = undefined
    this.#order.delete(slot)
    this.#free.push(slot)
  }

  /** In the order in which they came. */
  [Symbol.iterator](): IterableIterator<number> {
    return this.#order.values()
  }

  /** Where this id stands in the table, or would. */
  #place(id: Uint8Array): number {
    const mask = this.#table.length - 1
    let at = hashOf(id) & mask
    for (;;) {
      const slot = this.#table[at]! - 1
      if (slot < 0 || sameId(this.#users[slot]!.id, id)) return at
      at = (at + 1) & mask
    }
  }

  /** Empties a place; whoever stood behind it for want of room moves up. */
  #leave(place: number): void {
    const table = this.#table
    const mask = table.length - 1
    let hole = place
    for (let at = (hole + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = hashOf(this.#users[table[at]! - 1]!.id) & mask
      // It may stay where it is only if its search begins behind the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      table[hole] = table[at]!
      hole = at
    }
    table[hole] = 0
  }

  #resize(length: number): void {
    this.#table = new Int32Array(length)
    for (const slot of this.#order) this.#table[this.#place(this.#users[slot]!.id)] = slot + 1
  }
}

/** Ids may be drawn, counted up or anything else. */
function hashOf(id: Uint8Array): number {
  let hash = 0
  for (let i = 0; i < 16; i++) hash = Math.imul(hash ^ id[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function sameId(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (a[i] !== b[i]) return false
  return true
}

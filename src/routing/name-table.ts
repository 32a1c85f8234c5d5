/**
 * Names by their endings, in one walk from the end of a name towards its beginning: the hash grows by a letter at a time, and
 * at each dot the table is asked for what stands behind it. Every ending of a name is in the table too, so that the walk
 * stops at the first that is not: most names are given up after two labels. Nothing is cut out of a name that is looked up.
 */
export class NameTable {
  readonly #names: string[] = []
  /** Below zero: only the ending of a name. */
  readonly #values: number[] = []
  #size = 0
  /** Two numbers for each slot: an index into both, plus one (0: free), and the hash. A power of two of slots, at most half full. */
  #slots = new Int32Array(32)

  get size(): number {
    return this.#size
  }

  /** Index of a name, which is added if it is not there. */
  add(name: string): number {
    let hash = 0
    for (let at = name.length - 1; at >= 0; at--) {
      const unit = name.charCodeAt(at)
      if (unit === 46 && this.#find(name, at + 1, hash) < 0) this.#enter(name.slice(at + 1), hash)
      hash = (Math.imul(hash, 31) + unit) | 0
    }
    const found = this.#find(name, 0, hash)
    return found >= 0 ? found : this.#enter(name, hash)
  }

  #enter(name: string, hash: number): number {
    const index = this.#names.push(name) - 1
    this.#values.push(nothing)
    if (this.#names.length * 4 > this.#slots.length) this.#grow()
    this.#place(index, hash)
    return index
  }

  /** What `set` gave it; -1: nothing yet. */
  value(index: number): number {
    return this.#values[index]!
  }

  /** @param value any number but -1 */
  set(index: number, value: number): void {
    if (this.#values[index] === nothing) this.#size++
    this.#values[index] = value
  }

  /** Calls `take` with the value of each name of the table that `name` is, or ends in behind a dot. */
  endings(name: string, take: (value: number, whole: boolean) => void): void {
    let hash = 0
    for (let at = name.length - 1; at >= 0; at--) {
      const unit = name.charCodeAt(at)
      if (unit === 46) {
        const found = this.#find(name, at + 1, hash)
        if (found < 0) return
        if (this.#values[found] !== nothing) take(this.#values[found]!, false)
      }
      hash = (Math.imul(hash, 31) + unit) | 0
    }
    const found = this.#find(name, 0, hash)
    if (found >= 0 && this.#values[found] !== nothing) take(this.#values[found]!, true)
  }

  /** Index of the name that `text` is from `from` on; -1: none. */
  #find(text: string, from: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    const length = text.length - from
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot * 2]! - 1
      if (index < 0) return -1
      if (slots[slot * 2 + 1] !== hash) continue
      const name = this.#names[index]!
      if (name.length === length && text.endsWith(name)) return index
    }
  }

  #place(index: number, hash: number): void {
    const mask = this.#slots.length / 2 - 1
    let slot = spread(hash) & mask
    while (this.#slots[slot * 2] !== 0) slot = (slot + 1) & mask
    this.#slots[slot * 2] = index + 1
    this.#slots[slot * 2 + 1] = hash
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) this.#place(old[at]! - 1, old[at + 1]!)
  }
}

const nothing = -1

/** Lets the high bits of a hash count too: slots go by the low ones. */
const spread = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 3

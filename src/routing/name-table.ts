/**
 * Names by their endings, in one walk from the end of a name to its beginning: the hash grows by a letter at a time, and at
 * each dot the table is asked whether what stands behind it is among its names. Nothing is cut out of the name for that.
 */
export class NameTable {
  readonly #names: string[] = []
  readonly #values: number[] = []
  /** Slots with an index into both, plus one; 0: free. A power of two of them, at most half full. */
  #slots = new Int32Array(16)

  get size(): number {
    return this.#names.length
  }

  /** Index of a name, which is added if it is not there. */
  add(name: string): number {
    const found = this.#find(name, 0, hashOf(name))
    if (found >= 0) return found
    this.#names.push(name)
    this.#values.push(-1)
    if (this.#names.length * 2 > this.#slots.length) this.#grow()
    else this.#place(this.#names.length - 1)
    return this.#names.length - 1
  }

  value(index: number): number {
    return this.#values[index]!
  }

  set(index: number, value: number): void {
    this.#values[index] = value
  }

  /** Calls `take` with the value of each name of the table that `name` is, or ends in behind a dot. */
  endings(name: string, take: (value: number, whole: boolean) => void): void {
    let hash = 0
    for (let at = name.length - 1; at >= 0; at--) {
      const unit = name.charCodeAt(at)
      if (unit === 46) {
        const found = this.#find(name, at + 1, hash)
        if (found >= 0) take(this.#values[found]!, false)
      }
      hash = (Math.imul(hash, 31) + unit) | 0
    }
    const found = this.#find(name, 0, hash)
    if (found >= 0) take(this.#values[found]!, true)
  }

  /** Index of the name that `text` is from `from` on; -1: none. */
  #find(text: string, from: number, hash: number): number {
    const mask = this.#slots.length - 1
    const length = text.length - from
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1
      if (index < 0) return -1
      const name = this.#names[index]!
      if (name.length === length && text.endsWith(name)) return index
    }
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1
    let slot = spread(hashOf(this.#names[index]!)) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = index + 1
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let index = 0; index < this.#names.length; index++) this.#place(index)
  }
}

function hashOf(name: string): number {
  let hash = 0
  for (let at = name.length - 1; at >= 0; at--) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0
  return hash
}

/** Lets the high bits of a hash count too: slots go by the low ones. */
const spread = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 3

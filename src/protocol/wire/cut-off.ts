/**
 * The beginning of a unit whose end has not arrived. Holds a copy, as long as the bytes are (twice that at most, after many small
 * additions), and nothing while there is none: most connections wait between chunks.
 */
export class CutOff {
  #held: Uint8Array | undefined
  #length = 0

  /** Bytes held. */
  get length(): number {
    return this.#length
  }

  /** Adds a copy of bytes[from..) to what is held. */
  add(bytes: Uint8Array, from: number): void {
    const length = this.#length + bytes.length - from
    if (this.#held === undefined || length > this.#held.length) {
      const grown = new Uint8Array(this.#held === undefined ? length : Math.max(length, 2 * this.#length))
      if (this.#held !== undefined) grown.set(this.#held.subarray(0, this.#length))
      this.#held = grown
    }
    this.#held.set(from === 0 ? bytes : bytes.subarray(from), this.#length)
    this.#length = length
  }

  /** What is held and the first `missing` bytes of `bytes`, in one piece that is overwritten by the next call on any instance. Holds nothing afterwards. */
  join(bytes: Uint8Array, missing: number): Uint8Array {
    const length = this.#length + missing
    assembly ??= new Uint8Array(longestUnit)
    assembly.set(this.#held!.subarray(0, this.#length))
    assembly.set(bytes.subarray(0, missing), this.#length)
    this.clear()
    return assembly.subarray(0, length)
  }

  /** What is held, to keep. Holds nothing afterwards. */
  take(): Uint8Array {
    const held = this.#held!.subarray(0, this.#length)
    this.clear()
    return held
  }

  clear(): void {
    this.#held = undefined
    this.#length = 0
  }
}

/** The largest size that a chunk can name. */
const longestUnit = 65_535

/** One per thread is enough: a unit is opened before anything else can be joined. */
let assembly: Uint8Array | undefined

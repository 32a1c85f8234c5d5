/** Not enough input yet; thrown by Input, for who reads units with it. */
export const more = Symbol('more')

/** Reads units from the front; a unit that is not whole yet throws `more` and leaves `rest` at its beginning. */
export class Input {
  readonly #bytes: Uint8Array
  #at = 0
  #committed = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.take(1)[0]!
  }

  word(): number {
    const [high, low] = this.take(2)
    return (high! << 8) | low!
  }

  take(length: number): Uint8Array {
    if (this.#bytes.length - this.#at < length) throw more
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** Bytes up to a zero byte, which is skipped; undefined if there are more than `max`. */
  text(max: number): Uint8Array | undefined {
    const end = this.#bytes.indexOf(0, this.#at)
    const length = (end < 0 ? this.#bytes.length : end) - this.#at
    if (length > max) return undefined
    if (end < 0) throw more
    const text = this.take(length)
    this.#at++
    return text
  }

  commit(): void {
    this.#committed = this.#at
  }

  rest(): Uint8Array {
    return this.#bytes.slice(this.#committed)
  }
}

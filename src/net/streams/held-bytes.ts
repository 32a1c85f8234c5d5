/** Bytes of a stream that nobody has taken yet, in order. Costs next to nothing while there are none. */
export class HeldBytes {
  #pieces: Uint8Array[] | undefined
  /** Bytes. */
  size = 0

  get empty(): boolean {
    return this.#pieces === undefined
  }

  push(bytes: Uint8Array): void {
    this.#pieces ??= []
    this.#pieces.push(bytes)
    this.size += bytes.length
  }

  /** Puts them in front. */
  putBack(bytes: Uint8Array): void {
    this.#pieces ??= []
    this.#pieces.unshift(bytes)
    this.size += bytes.length
  }

  take(): Uint8Array | undefined {
    const bytes = this.#pieces?.shift()
    if (bytes) this.size -= bytes.length
    if (this.#pieces?.length === 0) this.#pieces = undefined
    return bytes
  }

  /** All of them, which leaves none. */
  *drain(): Generator<Uint8Array> {
    for (let bytes = this.take(); bytes; bytes = this.take()) yield bytes
  }
}

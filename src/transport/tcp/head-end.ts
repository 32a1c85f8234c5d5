const end = [0x0d, 0x0a, 0x0d, 0x0a] as const

/** Finds the empty line behind a head that comes in pieces. */
export class HeadEnd {
  #matched = 0

  /** How many of `bytes` belong to the head with its empty line; undefined: all, and it goes on. */
  push(bytes: Uint8Array): number | undefined {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === end[this.#matched]) this.#matched++
      else this.#matched = bytes[i] === end[0] ? 1 : 0
      if (this.#matched === end.length) return i + 1
    }
    return undefined
  }
}

/** The little of protobuf that data files are made of. */

/** Thrown where bytes are not what they should be. */
export class Damaged extends Error {}

export class ProtoReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  get at(): number {
    return this.#at
  }

  varint(): number {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      if (this.#at >= this.#end || shift > 2 ** 63) throw new Damaged('a number is cut off or too long')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }

  /** A view of the next field of type 2. */
  bytes(): Uint8Array {
    const length = this.varint()
    const from = this.#at
    if (from + length > this.#end) throw new Damaged('a field is cut off')
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }

  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.#at += 8
    else if (wire === 2) this.bytes()
    else if (wire === 5) this.#at += 4
    else throw new Damaged(`a field has the unknown type ${wire}`)
  }
}

const utf8 = new TextDecoder()

export function textOf(bytes: Uint8Array): string {
  let text = ''
  // Names are short and ASCII: this is faster than a decoder.
  for (let i = 0; i < bytes.length; i++) {
    const unit = bytes[i]!
    if (unit > 0x7f || i > 256) return utf8.decode(bytes)
    text += String.fromCharCode(unit)
  }
  return text
}

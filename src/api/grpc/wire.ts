/** The little of protobuf's wire format that decoders keep to themselves: which fields a message really has. */

export interface WireField {
  readonly number: number
  /** Contents of a field that has a length: bytes, text, a message, packed numbers. */
  readonly bytes?: Uint8Array
  /** Of a field that is a number, as far as it fits into 32 bits. */
  readonly value?: number
}

/**
 * The fields of a message. @throws RangeError for one that is cut off, and for groups, which nobody sends any more: that it
 * has been decoded before says little, because decoders go by the type of a field and not by what the message says of it.
 */
export function* wireFields(message: Uint8Array): Generator<WireField> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('cut off')
      // Numbers of fields and lengths fit into 32 bits; what is longer is only skipped.
      if (shift < 35) value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        at += 8
        yield { number }
        break
      case 2: {
        const length = varint()
        yield { number, bytes: message.subarray(at, at + length) }
        at += length
        break
      }
      case 5:
        at += 4
        yield { number }
        break
      default:
        throw new RangeError('a group')
    }
  }
  if (at > message.length) throw new RangeError('cut off')
}

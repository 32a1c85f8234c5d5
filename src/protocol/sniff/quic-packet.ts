/** Long-header packets of QUIC in a datagram, and what an Initial among them says (RFC 9000, 17.2). */
import { tagLength } from '../../crypto/aead.ts'
import { initialKeys, quicVersion } from './quic-keys.ts'

/** Reads values one after the other; undefined where the bytes end. */
export class QuicBytes {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  u8(): number | undefined {
    return this.bytes[this.at++]
  }

  /** A number in 1, 2, 4 or 8 bytes (RFC 9000, 16). */
  varint(): number | undefined {
    const first = this.bytes[this.at]
    if (first === undefined) return undefined
    const length = 1 << (first >> 6)
    if (this.left < length) return undefined
    let value = first & 63
    for (let i = 1; i < length; i++) value = value * 256 + this.bytes[this.at + i]!
    this.at += length
    return value
  }

  take(length: number | undefined): Uint8Array | undefined {
    if (length === undefined || this.left < length) return undefined
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

export interface QuicPacket {
  /** The plaintext of an Initial; undefined for a packet of another type. */
  readonly frames: Uint8Array | undefined
  /** Where the next packet of the datagram begins. */
  readonly end: number
}

/** The packet that begins at `from`. `'undecided'`: the datagram was cut off. */
export function quicPacket(datagram: Uint8Array, from: number): QuicPacket | 'no' | 'undecided' {
  const reader = new QuicBytes(datagram, from)
  const first = reader.u8()
  const number = reader.take(4)
  if (first === undefined || (first & 0xc0) !== 0xc0) return 'no'
  if (!number) return 'no'
  const version = quicVersion(new DataView(number.buffer, number.byteOffset).getUint32(0))
  if (!version) return 'no'
  const dcid = reader.take(reader.u8())
  const scid = reader.take(reader.u8())
  if (!dcid || !scid || dcid.length > 20) return 'no'
  const type = (first >> 4) & 3
  const isInitial = type === version.initial
  // A Retry has no length, and only servers send one.
  if (type === (version.initial + 3) % 4) return 'no'
  if (isInitial && !reader.take(reader.varint())) return 'no'
  const length = reader.varint()
  if (length === undefined || length < 4) return 'no'
  const numberAt = reader.at
  const end = numberAt + length
  if (end > datagram.length) return 'undecided'
  if (!isInitial) return { frames: undefined, end }
  const frames = openInitial(datagram.subarray(from, end), numberAt - from, initialKeys(version, dcid))
  return frames ? { frames, end } : 'no'
}

/** @param numberAt where the packet number begins */
function openInitial(
  packet: Uint8Array,
  numberAt: number,
  { mask, aead, iv }: ReturnType<typeof initialKeys>,
): Uint8Array | undefined {
  const sample = packet.subarray(numberAt + 4, numberAt + 20)
  if (sample.length < 16) return undefined
  const masks = mask(sample)
  const first = packet[0]! ^ (masks[0]! & 0x0f)
  const numberLength = (first & 3) + 1
  const header = new Uint8Array(packet.subarray(0, numberAt + numberLength))
  header[0] = first
  const nonce = new Uint8Array(iv)
  for (let i = 0; i < numberLength; i++) {
    const byte = packet[numberAt + i]! ^ masks[1 + i]!
    header[numberAt + i] = byte
    nonce[12 - numberLength + i]! ^= byte
  }
  const sealed = packet.subarray(header.length)
  const plain = new Uint8Array(Math.max(0, sealed.length - tagLength))
  return aead.open(nonce, sealed, plain, 0, header) < 0 ? undefined : plain
}

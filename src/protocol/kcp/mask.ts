/**
 * What lies around the segments of a datagram: a seal, a header that makes it look like something else, or several of
 * them. All work in place in one buffer that has room before and behind.
 */

/** A datagram in the making: bytes[start..end) of a buffer with room. */
export class Packet {
  readonly bytes: Uint8Array
  start = 0
  end = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  get view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }
}

export interface Mask {
  /** Bytes that it puts before what it is given, and behind it. */
  readonly before: number
  readonly behind: number
  wrap(packet: Packet): void
  /** False: it is not for us. */
  open(packet: Packet): boolean
}

/** The largest datagram that is looked at, bytes: no peer sends larger ones. */
const datagramMax = 9_216
/** What masks may add to a segment, bytes. */
const overheadMax = 1_024

/** A buffer that several chains of masks can share, for none holds anything from one call to the next. */
export const sharedPacket = (): Packet => new Packet(overheadMax + datagramMax)

/** Masks one around the other, innermost first. What is handed out is in the shared buffer, and good until the next call. */
export class Masks {
  readonly #masks: readonly Mask[]
  readonly #before: number
  readonly #packet: Packet
  /** Bytes that all of them add. */
  readonly overhead: number

  constructor(masks: readonly Mask[], packet: Packet = sharedPacket()) {
    this.#masks = masks
    this.#packet = packet
    this.#before = masks.reduce((sum, { before }) => sum + before, 0)
    const behind = masks.reduce((sum, mask) => sum + mask.behind, 0)
    this.overhead = this.#before + behind
  }

  /** The datagram for a segment. */
  wrap(segment: Uint8Array): Uint8Array {
    const packet = this.#packet
    packet.start = this.#before
    packet.end = this.#before + segment.length
    packet.bytes.set(segment, packet.start)
    for (const mask of this.#masks) mask.wrap(packet)
    return packet.view
  }

  /** The segments of a datagram; undefined: it is not for us. */
  open(datagram: Uint8Array): Uint8Array | undefined {
    const packet = this.#packet
    if (datagram.length > datagramMax || datagram.length < this.overhead) return undefined
    packet.bytes.set(datagram)
    packet.start = 0
    packet.end = datagram.length
    for (let i = this.#masks.length - 1; i >= 0; i--) if (!this.#masks[i]!.open(packet)) return undefined
    return packet.view
  }
}

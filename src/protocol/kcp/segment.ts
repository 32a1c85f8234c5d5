/** The segments of mKCP (V2Ray's transport/internet/kcp): what they look like, and reading them. Integers are big-endian. */

export const commands = { ack: 0, data: 1, terminate: 2, ping: 3 } as const

/** Bit of the options: the sender has closed. */
export const closeOption = 1

/** Bytes of a data segment before its payload. */
export const dataOverhead = 18
/** Bytes of an acknowledgement before its numbers, four bytes each. */
export const ackOverhead = 17
/** Bytes of a command: a ping, a termination. */
export const commandLength = 16
/** Numbers in one acknowledgement, at most. */
export const ackNumbersMax = 128

/**
 * One segment after another of a datagram. The fields are those of the segment that next() went to; which of them mean
 * something depends on the command. What is malformed ends the datagram, as with V2Ray.
 */
export class SegmentReader {
  conv = 0
  command = 0
  options = 0
  /** data: when it was sent; ack: the newest time among the segments that it acknowledges; ms on the clock of the sender of the data. */
  timestamp = 0
  /** data */
  number = 0
  /** data and commands: the first number that the sender still waits to have acknowledged. */
  sendingNext = 0
  /** ack and commands: every number before it has arrived. */
  receivingNext = 0
  /** ack: the first number that there is no room for. */
  receivingWindow = 0
  /** commands: how long the sender waits before it sends something again, ms. */
  rto = 0
  /** ack: how many numbers there are. */
  count = 0
  /** data: lent, as long as the datagram is. */
  payload: Uint8Array = nothing
  #bytes: Uint8Array = nothing
  #view: DataView = new DataView(nothing.buffer)
  #at = 0
  #numbers = 0

  /** Begins a datagram; lent until the last next(). */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = 0
  }

  /** Goes to the next segment; false: there is none. */
  next(): boolean {
    const left = this.#bytes.length - this.#at
    if (left < commandLength) return false
    const [view, at] = [this.#view, this.#at]
    this.conv = view.getUint16(at)
    this.command = this.#bytes[at + 2]!
    this.options = this.#bytes[at + 3]!
    if (this.command === commands.data) return this.#data(view, at, left)
    if (this.command === commands.ack) return this.#ack(view, at, left)
    this.sendingNext = view.getUint32(at + 4)
    this.receivingNext = view.getUint32(at + 8)
    this.rto = view.getUint32(at + 12)
    this.#at = at + commandLength
    return true
  }

  /** ack: one of its numbers. */
  acknowledged(index: number): number {
    return this.#view.getUint32(this.#numbers + 4 * index)
  }

  #data(view: DataView, at: number, left: number): boolean {
    if (left < dataOverhead) return false
    const length = view.getUint16(at + 16)
    if (left < dataOverhead + length) return false
    this.timestamp = view.getUint32(at + 4)
    this.number = view.getUint32(at + 8)
    this.sendingNext = view.getUint32(at + 12)
    this.payload = this.#bytes.subarray(at + dataOverhead, at + dataOverhead + length)
    this.#at = at + dataOverhead + length
    return true
  }

  #ack(view: DataView, at: number, left: number): boolean {
    if (left < ackOverhead) return false
    const count = this.#bytes[at + 16]!
    if (left < ackOverhead + 4 * count) return false
    this.receivingWindow = view.getUint32(at + 4)
    this.receivingNext = view.getUint32(at + 8)
    this.timestamp = view.getUint32(at + 12)
    this.count = count
    this.#numbers = at + ackOverhead
    this.#at = at + ackOverhead + 4 * count
    return true
  }
}

const nothing = new Uint8Array(0)

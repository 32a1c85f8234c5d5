import { ackOverhead, commands as codes, commandLength, type commands, dataOverhead } from './segment.ts'

/** Makes segments of one connection, one at a time in one buffer: what is handed out is good until the next is made. */
export class SegmentWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #conv: number
  /** Options of every segment from now on. */
  options = 0
  #numbers = 0

  /** @param size bytes of the largest segment */
  constructor(conv: number, size: number) {
    this.#bytes = new Uint8Array(Math.max(size, commandLength, ackOverhead + 4))
    this.#view = new DataView(this.#bytes.buffer)
    this.#conv = conv
  }

  data(timestamp: number, number: number, sendingNext: number, payload: Uint8Array): Uint8Array {
    this.#head(codes.data)
    this.#view.setUint32(4, timestamp)
    this.#view.setUint32(8, number)
    this.#view.setUint32(12, sendingNext)
    this.#view.setUint16(16, payload.length)
    this.#bytes.set(payload, dataOverhead)
    return this.#bytes.subarray(0, dataOverhead + payload.length)
  }

  command(
    command: (typeof commands)['ping' | 'terminate'],
    sendingNext: number,
    receivingNext: number,
    rto: number,
  ): Uint8Array {
    this.#head(command)
    this.#view.setUint32(4, sendingNext)
    this.#view.setUint32(8, receivingNext)
    this.#view.setUint32(12, rto)
    return this.#bytes.subarray(0, commandLength)
  }

  /** Numbers of the acknowledgement in the making. */
  get acknowledging(): number {
    return this.#numbers
  }

  /** Begins an acknowledgement or goes on with it; nothing else may be made before ack(). */
  addNumber(number: number): void {
    this.#view.setUint32(ackOverhead + 4 * this.#numbers++, number)
  }

  ack(receivingWindow: number, receivingNext: number, timestamp: number): Uint8Array {
    this.#head(codes.ack)
    this.#view.setUint32(4, receivingWindow)
    this.#view.setUint32(8, receivingNext)
    this.#view.setUint32(12, timestamp)
    this.#bytes[16] = this.#numbers
    const length = ackOverhead + 4 * this.#numbers
    this.#numbers = 0
    return this.#bytes.subarray(0, length)
  }

  #head(command: number): void {
    this.#view.setUint16(0, this.#conv)
    this.#bytes[2] = command
    this.#bytes[3] = this.options
  }
}

import { AckList } from './ack-list.ts'
import type { TakeBuffer } from './buffers.ts'
import { type Received, ReceiveWindow } from './receive-window.ts'
import type { SegmentReader } from './segment.ts'
import type { SegmentWriter } from './segment-writer.ts'
import { plus } from './sequence.ts'
import type { KcpSizes } from './sizes.ts'

/** Numbers that have arrived since the peer was last told, for which it is told before the interval is over. */
const manyNumbers = 64

/** The receiving half of a connection: what has arrived, and what the peer must hear of that. */
export class Receiver {
  readonly #window: ReceiveWindow
  readonly #acks: AckList
  readonly #fullWindow: number
  /** The end of the window when the peer was last told. */
  #saidEnd: number

  /** @param window segments that are taken in beyond the next, until widen() */
  constructor({ receiveWindow, ackNumbers }: KcpSizes, window: number, take: TakeBuffer) {
    this.#fullWindow = receiveWindow
    this.#window = new ReceiveWindow(Math.min(receiveWindow, window), take)
    this.#acks = new AckList(2 * receiveWindow, ackNumbers)
    this.#saidEnd = this.#window.end
  }

  get readable(): boolean {
    return this.#window.readable
  }

  /** The number that is read next. */
  get next(): number {
    return this.#window.next
  }

  /** Whether there is something that the peer must hear. */
  get busy(): boolean {
    return this.#acks.busy
  }

  /** A good part of the window has arrived: its sender, who may wait for room, is to hear of it soon. */
  get urgent(): boolean {
    return this.#acks.fresh >= Math.min(this.#window.size / 4, manyNumbers)
  }

  widen(): void {
    this.#window.size = this.#fullWindow
    this.#acks.touch()
  }

  arrived({ number, timestamp, sendingNext, payload }: SegmentReader): void {
    if (this.#window.covers(number)) {
      this.#acks.clear(sendingNext)
      this.#acks.add(number, timestamp)
      this.#window.put(number, payload)
    } else if (this.#window.covers(plus(number, this.#window.size))) {
      // Behind the window: the sender has missed that it arrived. (V2Ray says nothing, and the sender learns it by a ping.)
      this.#acks.touch()
    }
  }

  /** The sender knows that everything before `number` has arrived. */
  known(number: number): void {
    this.#acks.clear(number)
  }

  read(): Received | undefined {
    const received = this.#window.take()
    // Whoever sends waits for room: it must hear of it, and not by the next number that happens to come.
    if (received && plus(this.#window.end, -this.#saidEnd) >= this.#window.size / 4) this.#acks.touch()
    return received
  }

  acknowledge(nowMs: number, rtoMs: number, writer: SegmentWriter, emit: (segment: Uint8Array) => void): void {
    const { next, end } = this.#window
    if (this.#acks.busy) this.#saidEnd = end
    this.#acks.flush(nowMs, rtoMs, { next, end }, writer, emit)
  }

  drop(): void {
    this.#window.drop()
    this.#acks.drop()
  }
}

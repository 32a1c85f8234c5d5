import type { Buffer, TakeBuffer } from './buffers.ts'
import { distance, plus } from './sequence.ts'

/** A payload that has arrived; owned by who takes it, until it gives the buffer back. */
export interface Received {
  readonly bytes: Uint8Array
  readonly release: () => void
}

/**
 * Segments that have arrived and nobody has read. The window begins with the one that is read next, so that who does not
 * read is sent no more than fits into it.
 */
export class ReceiveWindow {
  readonly #take: TakeBuffer
  readonly #waiting = new Map<number, Received>()
  /** Segments beyond the next that are taken in. */
  size: number
  /** The number that is read next. */
  next = 0

  constructor(size: number, take: TakeBuffer) {
    this.size = size
    this.#take = take
  }

  get readable(): boolean {
    return this.#waiting.has(this.next)
  }

  /** The first number that there is no room for. */
  get end(): number {
    return plus(this.next, this.size)
  }

  /** Whether there is room for it: it has not been read, and is not too far ahead. */
  covers(number: number): boolean {
    return distance(number, this.next) < this.size
  }

  /** Copies the payload of a number that is covered, unless it is there already. */
  put(number: number, payload: Uint8Array): void {
    if (this.#waiting.has(number)) return
    const buffer: Buffer = this.#take(payload.length)
    buffer.bytes.set(payload)
    this.#waiting.set(number, { bytes: buffer.bytes.subarray(0, payload.length), release: buffer.release })
  }

  /** The next in order; undefined while it has not arrived. */
  take(): Received | undefined {
    const received = this.#waiting.get(this.next)
    if (!received) return undefined
    this.#waiting.delete(this.next)
    this.next = plus(this.next, 1)
    return received
  }

  drop(): void {
    for (const { release } of this.#waiting.values()) release()
    this.#waiting.clear()
  }
}

import type { Buffer, TakeBuffer } from './buffers.ts'
import { ahead, plus } from './sequence.ts'

/** A segment that has not been acknowledged. */
export interface Outgoing {
  readonly number: number
  readonly buffer: Buffer
  length: number
  /** How often it was sent. */
  sent: number
  sentAt: number
  /** When it is to be sent again, unless it is acknowledged before. */
  dueAt: number
}

/** What was written and has not been acknowledged, in segments with consecutive numbers. */
export class SendQueue {
  readonly #payload: number
  readonly #take: TakeBuffer
  readonly #segments = new Map<number, Outgoing>()
  /** The first that has never been sent; `next` if there is none. */
  #unsent = 0
  #next = 0
  #last: Outgoing | undefined
  /** Bytes that have never been sent. */
  unsentBytes = 0
  /** The first that is not acknowledged; `next` if there is none. */
  first = 0

  /** @param payload bytes in one segment, at most */
  constructor(payload: number, take: TakeBuffer) {
    this.#payload = payload
    this.#take = take
  }

  /** Segments that are not acknowledged. */
  get length(): number {
    return this.#segments.size
  }

  /** Of these, the ones that were sent. */
  get inFlight(): number {
    return this.#segments.size - ahead(this.#next, this.#unsent)
  }

  /** Copies the bytes; a last segment with room that was never sent is filled up. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const segment = this.#last && this.#last.length < this.#payload ? this.#last : this.#append()
      const piece = bytes.subarray(at, at + this.#payload - segment.length)
      segment.buffer.bytes.set(piece, segment.length)
      segment.length += piece.length
      at += piece.length
    }
    this.unsentBytes += bytes.length
  }

  #append(): Outgoing {
    const segment = { number: this.#next, buffer: this.#take(this.#payload), length: 0, sent: 0, sentAt: 0, dueAt: 0 }
    this.#segments.set(this.#next, segment)
    this.#next = plus(this.#next, 1)
    this.#last = segment
    return segment
  }

  /** The next that has never been sent. */
  peekUnsent(): Outgoing | undefined {
    return this.#segments.get(this.#unsent)
  }

  /** It is being sent. */
  mark(segment: Outgoing, nowMs: number, dueAt: number): void {
    if (segment.sent === 0) {
      this.#unsent = plus(segment.number, 1)
      this.unsentBytes -= segment.length
      if (segment === this.#last) this.#last = undefined
    }
    segment.sent++
    segment.sentAt = nowMs
    segment.dueAt = dueAt
  }

  /** Those that were sent, in the order of their numbers. */
  *underWay(): Iterable<Outgoing> {
    for (const segment of this.#segments.values()) {
      if (segment.sent === 0) return
      yield segment
    }
  }

  /** Whether it is news that this one has arrived. What was never sent cannot have. */
  acknowledge(number: number): boolean {
    const segment = this.#segments.get(number)
    if (!segment || segment.sent === 0) return false
    this.#segments.delete(number)
    segment.buffer.release()
    this.#findFirst()
    return true
  }

  /** Everything before `number` has arrived; whether that is news. */
  acknowledgeBefore(number: number): boolean {
    if (ahead(number, this.#unsent) > 0) return false
    const before = this.#segments.size
    for (const segment of this.#segments.values()) {
      if (ahead(segment.number, number) >= 0) break
      this.#segments.delete(segment.number)
      segment.buffer.release()
    }
    if (this.#segments.size === before) return false
    this.#findFirst()
    return true
  }

  #findFirst(): void {
    this.first = this.#next
    for (const number of this.#segments.keys()) {
      this.first = number
      break
    }
  }

  /** Nobody will hear any of it. */
  drop(): void {
    for (const { buffer } of this.#segments.values()) buffer.release()
    this.#segments.clear()
    this.#last = undefined
    this.unsentBytes = 0
    this.first = this.#unsent = this.#next
  }
}

import type { SegmentWriter } from './segment-writer.ts'
import { ahead } from './sequence.ts'

interface Pending {
  timestamp: number
  /** When it is to be said, or said again. */
  due: number
}

/** What the peer must know of the window when it is told what has arrived. */
export interface WindowEdges {
  readonly next: number
  readonly end: number
}

/**
 * Numbers that have arrived. They are said again and again until the sender shows that it knows: its `sendingNext` goes
 * beyond them.
 */
export class AckList {
  readonly #pending = new Map<number, Pending>()
  readonly #most: number
  readonly #perSegment: number
  #clearedTo = 0
  #changed = false
  /** Added since the last flush. */
  fresh = 0

  /** @param most numbers held: beyond that the oldest go, which the beginning of the window says as well */
  constructor(most: number, perSegment: number) {
    this.#most = most
    this.#perSegment = perSegment
  }

  /** Whether there is anything to say. */
  get busy(): boolean {
    return this.#changed || this.#pending.size > 0
  }

  add(number: number, timestamp: number): void {
    this.fresh++
    const known = this.#pending.get(number)
    if (known) {
      known.timestamp = timestamp
      known.due = 0
      return
    }
    if (this.#pending.size >= this.#most)
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest)
        break
      }
    this.#pending.set(number, { timestamp, due: 0 })
  }

  /** Everything before `number` is known to the sender. */
  clear(number: number): void {
    if (ahead(number, this.#clearedTo) <= 0) return
    this.#clearedTo = number
    for (const pending of this.#pending.keys()) {
      if (ahead(pending, number) >= 0) continue
      this.#pending.delete(pending)
      this.#changed = true
    }
  }

  /** The edges of the window are to be said, even without a number. */
  touch(): void {
    this.#changed = true
  }

  /** Says what is due, and where there is room in the last segment what is not. */
  flush(
    nowMs: number,
    rtoMs: number,
    edges: WindowEdges,
    writer: SegmentWriter,
    emit: (segment: Uint8Array) => void,
  ): void {
    this.fresh = 0
    if (!this.busy) return
    const again = nowMs + Math.max(Math.floor(rtoMs / 2), 20)
    let newest: number | undefined
    for (const [number, pending] of this.#pending) {
      if (pending.due > nowMs) continue
      pending.due = again
      writer.addNumber(number)
      if (newest === undefined || ahead(pending.timestamp, newest) > 0) newest = pending.timestamp
      if (writer.acknowledging < this.#perSegment) continue
      emit(writer.ack(edges.end, edges.next, newest))
      newest = undefined
      this.#changed = false
    }
    if (!this.#changed && writer.acknowledging === 0) return
    this.#changed = false
    for (const [number, { due, timestamp }] of this.#pending) {
      if (writer.acknowledging >= this.#perSegment) break
      if (due === again) continue
      writer.addNumber(number)
      newest ??= timestamp
    }
    emit(writer.ack(edges.end, edges.next, newest ?? 0))
  }

  drop(): void {
    this.#pending.clear()
    this.#changed = false
  }
}

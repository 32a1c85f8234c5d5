import type { RoundTrip } from './round-trip.ts'
import { commands } from './segment.ts'
import type { SegmentWriter } from './segment-writer.ts'

/** A termination is said so often: nobody answers it. V2Ray says it every 5 s for 8 s, and holds the socket meanwhile. */
const terminations = 4
const terminationEveryMs = 250

/** Says what has no payload: that this end is there, and that it goes. */
export class Commander {
  readonly #writer: SegmentWriter
  readonly #roundTrip: RoundTrip
  readonly #emit: (segment: Uint8Array) => void
  /** When one was last said. */
  saidAt: number
  /** The first number that is not acknowledged, as the peer was last told in whatever segment. */
  saidFirst = 0
  #left = terminations
  /** When the next termination is due. */
  terminateAt = 0

  constructor(writer: SegmentWriter, roundTrip: RoundTrip, emit: (segment: Uint8Array) => void, nowMs: number) {
    this.#writer = writer
    this.#roundTrip = roundTrip
    this.#emit = emit
    this.saidAt = nowMs
  }

  /** Whether the peer has never been told that this end goes. */
  get untold(): boolean {
    return this.#left === terminations
  }

  ping(first: number, next: number, nowMs: number): void {
    this.#say(commands.ping, first, next, nowMs)
  }

  /** Says it if it is due; false: it was said often enough. */
  terminate(first: number, next: number, nowMs: number): boolean {
    if (nowMs < this.terminateAt) return true
    if (this.#left === 0) return false
    this.#left--
    this.terminateAt = nowMs + terminationEveryMs
    this.#say(commands.terminate, first, next, nowMs)
    return true
  }

  #say(command: (typeof commands)['ping' | 'terminate'], first: number, next: number, nowMs: number): void {
    this.saidAt = nowMs
    this.saidFirst = first
    this.#emit(this.#writer.command(command, first, next, this.#roundTrip.rtoMs))
  }
}

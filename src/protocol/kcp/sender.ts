import type { TakeBuffer } from './buffers.ts'
import { Congestion } from './congestion.ts'
import type { RoundTrip } from './round-trip.ts'
import type { SegmentReader } from './segment.ts'
import { type Outgoing, SendQueue } from './send-queue.ts'
import { ahead } from './sequence.ts'
import type { KcpSizes } from './sizes.ts'

/** Segments that are sent in one go, and the pause before the next go: more would not fit into the buffers of a socket. */
export const burst = { segments: 64, pauseMs: 4 } as const

/** How many numbers a peer is taken to have room for until it says so itself: V2Ray sends as many, and has more. */
const firstWindow = 640

/** A sender takes what comes late by this much for lost, ms; more where the way is long. */
const reorderMs = 10

/** What is lost again and again is sent more and more rarely, up to so many times the usual wait. */
const backOffMax = 8

/**
 * The sending half of a connection: which segment goes when. New ones go as soon as the peer has room; what is not
 * acknowledged goes again when its time is over, or at once when something that was sent later has arrived.
 */
export class Sender {
  readonly queue: SendQueue
  readonly #sizes: KcpSizes
  readonly #roundTrip: RoundTrip
  readonly #send: (segment: Outgoing) => void
  readonly #congestion: Congestion
  /** The first number that the peer has no room for. */
  #peerEnd = firstWindow
  #peerSaid = false
  #burstAt = Number.NEGATIVE_INFINITY
  #burstLeft = 0

  constructor(sizes: KcpSizes, roundTrip: RoundTrip, take: TakeBuffer, send: (segment: Outgoing) => void) {
    this.#sizes = sizes
    this.#roundTrip = roundTrip
    this.#send = send
    this.queue = new SendQueue(sizes.payload, take)
    this.#congestion = new Congestion(sizes.sendWindow, sizes.congestion)
  }

  /** Whether more may be written without waiting. */
  get hasRoom(): boolean {
    return this.queue.length <= this.#sizes.sendQueue
  }

  /** The peer acknowledges. */
  acknowledged(ack: SegmentReader, nowMs: number, clockMs: number): void {
    if (!this.#peerSaid || ahead(ack.receivingWindow, this.#peerEnd) > 0) this.#peerEnd = ack.receivingWindow
    this.#peerSaid = true
    this.queue.acknowledgeBefore(ack.receivingNext)
    let newest: number | undefined
    let news = false
    for (let i = 0; i < ack.count; i++) {
      const number = ack.acknowledged(i)
      const removed = this.queue.acknowledge(number)
      if (newest !== undefined && ahead(number, newest) <= 0) continue
      newest = number
      news = removed
    }
    const tookMs = (clockMs - ack.timestamp) >>> 0
    if (!news || tookMs >= 10_000) return
    this.#roundTrip.took(tookMs, nowMs)
    this.#passedOver(nowMs - tookMs, nowMs)
  }

  /** What was sent well before something that has arrived by now is lost. */
  #passedOver(arrivedSentAt: number, nowMs: number): void {
    const before = arrivedSentAt - Math.max(reorderMs, this.#roundTrip.smoothedMs / 8)
    for (const segment of this.queue.underWay())
      if (segment.sentAt < before) segment.dueAt = Math.min(segment.dueAt, nowMs)
  }

  /** Sends what is due, as far as the burst goes. */
  run(nowMs: number): void {
    if (nowMs - this.#burstAt >= burst.pauseMs) {
      this.#burstAt = nowMs
      this.#burstLeft = burst.segments
    }
    if (this.#burstLeft > 0) this.#sendAgain(nowMs)
    for (let next = this.#nextNew(); next && this.#burstLeft > 0; next = this.#nextNew()) this.#transmit(next, nowMs)
  }

  /** Once per interval. */
  adjust(): void {
    this.#congestion.adjust()
  }

  #nextNew(): Outgoing | undefined {
    const next = this.queue.peekUnsent()
    if (!next || ahead(next.number, this.#peerEnd) >= 0) return undefined
    return this.queue.inFlight < this.#congestion.most ? next : undefined
  }

  #sendAgain(nowMs: number): void {
    for (const segment of this.queue.underWay()) {
      if (ahead(segment.number, this.#peerEnd) >= 0) return
      if (segment.dueAt > nowMs) continue
      this.#transmit(segment, nowMs)
      if (this.#burstLeft === 0) return
    }
  }

  #transmit(segment: Outgoing, nowMs: number): void {
    this.#burstLeft--
    this.#congestion.count(segment.sent > 0)
    const factor = Math.min(2 ** Math.max(0, segment.sent - 2), backOffMax)
    this.queue.mark(segment, nowMs, nowMs + this.#roundTrip.rtoMs * factor)
    this.#send(segment)
  }

  /** Whether the burst ended before everything that could go was gone. */
  get stopped(): boolean {
    return this.#burstLeft === 0
  }
}

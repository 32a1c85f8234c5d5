/**
 * One connection of mKCP, without clock, socket and timer: datagrams and the time go in, segments and the time of the next
 * turn come out. It follows V2Ray's transport/internet/kcp, and says where it does better.
 */
import { Commander } from './commander.ts'
import type { Received } from './receive-window.ts'
import { Receiver } from './receiver.ts'
import { RoundTrip } from './round-trip.ts'
import { closeOption, commands, SegmentReader } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { Outgoing } from './send-queue.ts'
import { burst, Sender } from './sender.ts'
import { type KcpSessionOptions, type KcpState, times } from './session-model.ts'
import type { KcpSizes } from './sizes.ts'

export class KcpSession {
  readonly #conv: number
  readonly #sizes: KcpSizes
  readonly #emit: (segment: Uint8Array) => void
  readonly #since: number
  readonly #writer: SegmentWriter
  readonly #roundTrip: RoundTrip
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #commander: Commander
  #state: KcpState = 'active'
  #stateAt: number
  #heardAt: number
  /** When the peer last acknowledged something. */
  #newsAt: number
  #tickAt = Number.NEGATIVE_INFINITY
  #nextAt: number

  constructor({ conv, sizes, nowMs, take, emit, receiveWindow = sizes.receiveWindow }: KcpSessionOptions) {
    this.#conv = conv
    this.#sizes = sizes
    this.#emit = emit
    this.#since = this.#stateAt = this.#heardAt = this.#newsAt = nowMs
    this.#nextAt = nowMs + times.pingEveryMs
    this.#writer = new SegmentWriter(conv, sizes.segment)
    this.#roundTrip = new RoundTrip(sizes.ttiMs)
    this.#sender = new Sender(sizes, this.#roundTrip, take, (segment) => this.#data(segment))
    this.#receiver = new Receiver(sizes, receiveWindow, take)
    this.#commander = new Commander(this.#writer, this.#roundTrip, emit, nowMs)
  }

  get state(): KcpState {
    return this.#state
  }

  /** When turn() is to be called next, on the clock that all calls name; infinite when it is over. */
  get nextAt(): number {
    return this.#nextAt
  }

  /** Bytes written that have never been sent. */
  get unsentBytes(): number {
    return this.#sender.queue.unsentBytes
  }

  get hasRoom(): boolean {
    return this.#sender.hasRoom
  }

  get delivered(): boolean {
    return this.#sender.queue.length === 0
  }

  get readable(): boolean {
    return this.#receiver.readable
  }

  /** Whether nothing more will come than what is readable now. */
  get peerEnded(): boolean {
    return this.#state !== 'active' && this.#state !== 'peerClosed'
  }

  /** The peer takes in nothing more, or it is closed here. */
  get writable(): boolean {
    return this.#state === 'active'
  }

  /** Takes bytes up; nothing unless `writable`. */
  write(bytes: Uint8Array, nowMs: number): void {
    if (!this.writable || bytes.length === 0) return
    // After a rest the interval begins now.
    if (nowMs - this.#tickAt >= this.#sizes.ttiMs) this.#tickAt = nowMs
    this.#sender.queue.push(bytes)
    this.#sender.run(nowMs)
    this.#schedule(nowMs)
  }

  /** The next payload in order, which the caller gives back; undefined while there is none. read() is followed by turn() or input() sooner or later. */
  read(nowMs: number): Received | undefined {
    const received = this.#receiver.read()
    if (received && this.#receiver.busy) this.#schedule(nowMs)
    return received
  }

  /** Takes in as much as the sizes say. */
  widen(): void {
    this.#receiver.widen()
  }

  /** The segments of one datagram; lent. */
  input(datagram: Uint8Array, nowMs: number): void {
    if (this.#state === 'terminated') return
    const segment = reader
    const before = this.#sender.queue.first
    segment.begin(datagram)
    while (segment.next() && segment.conv === this.#conv) {
      this.#heardAt = nowMs
      if (segment.options & closeOption) this.#peerClosed(nowMs)
      if (segment.command === commands.data) {
        if (!this.peerEnded) this.#receiver.arrived(segment)
      } else if (segment.command === commands.ack) this.#sender.acknowledged(segment, nowMs, this.#clock(nowMs))
      else this.#told(segment, nowMs)
    }
    if (this.#sender.queue.first !== before) this.#newsAt = nowMs
    this.#turnSoon(nowMs)
  }

  /** Does what is due. */
  turn(nowMs: number): void {
    if (this.#state === 'terminated') return
    if (!this.peerEnded && nowMs - this.#heardAt >= times.silenceMs) this.close(nowMs)
    const late = nowMs - this.#stateAt >= times.peerTerminatingMs
    if (this.#state === 'peerTerminating' && late && !this.readable) this.#enter('terminating', nowMs)
    if (this.#state === 'closing' && (this.delivered || this.#stuck(nowMs))) this.#enter('terminating', nowMs)
    if (this.#state !== 'terminating') this.#exchange(nowMs)
    else if (!this.#commander.terminate(this.#sender.queue.first, this.#receiver.next, nowMs)) this.drop()
    this.#schedule(nowMs)
  }

  /** Nothing more is written or read here; what was written is still delivered. Idempotent. */
  close(nowMs: number): void {
    if (this.#state === 'active') {
      this.#writer.options = closeOption
      this.#enter('closing', nowMs)
    } else if (this.#state === 'peerClosed') this.#enter('terminating', nowMs)
    else {
      if (this.#state === 'peerTerminating') this.drop()
      return
    }
    this.#receiver.drop()
    this.#tickAt = Number.NEGATIVE_INFINITY
    this.#nextAt = Math.min(this.#nextAt, nowMs)
  }

  /** It is over at once, and nobody is told. */
  drop(): void {
    this.#state = 'terminated'
    this.#sender.queue.drop()
    this.#receiver.drop()
    this.#nextAt = Number.POSITIVE_INFINITY
  }

  #enter(state: KcpState, nowMs: number): void {
    this.#state = state
    this.#stateAt = nowMs
    if (state === 'closing') return
    // Nobody takes it in any more.
    this.#sender.queue.drop()
    if (state === 'terminating') {
      this.#writer.options = 0
      this.#receiver.drop()
    }
  }

  /** What was written before the end does not get through. (V2Ray gives it 15 s in all, which cuts slow readers short.) */
  #stuck(nowMs: number): boolean {
    return (
      nowMs - Math.max(this.#newsAt, this.#stateAt) >= times.closingMs || nowMs - this.#stateAt >= times.closingMostMs
    )
  }

  #peerClosed(nowMs: number): void {
    if (this.#state === 'active') this.#enter('peerClosed', nowMs)
    else if (this.#state === 'closing') this.#enter('terminating', nowMs)
  }

  #told({ command, sendingNext, receivingNext, rto }: SegmentReader, nowMs: number): void {
    if (command === commands.terminate) {
      if (this.#state === 'active' || this.#state === 'peerClosed') this.#enter('peerTerminating', nowMs)
      else if (this.#state === 'closing') this.#enter('terminating', nowMs)
      else if (this.#state === 'terminating') this.drop()
    }
    this.#sender.queue.acknowledgeBefore(receivingNext)
    this.#receiver.known(sendingNext)
    this.#roundTrip.heard(rto, nowMs)
  }

  #exchange(nowMs: number): void {
    const tick = nowMs - this.#tickAt >= this.#sizes.ttiMs
    if (tick) {
      this.#tickAt = nowMs
      this.#sender.adjust()
    }
    if (tick || this.#receiver.urgent)
      this.#receiver.acknowledge(nowMs, this.#roundTrip.rtoMs, this.#writer, this.#emit)
    this.#sender.run(nowMs)
    const { first } = this.#sender.queue
    const news = this.delivered && first !== this.#commander.saidFirst
    // The peer says what has arrived until it hears that we know it: data says so by the way, a ping where there is none.
    if (news || nowMs - this.#commander.saidAt >= times.pingEveryMs)
      this.#commander.ping(first, this.#receiver.next, nowMs)
  }

  #data({ number, buffer, length, sentAt }: Outgoing): void {
    this.#commander.saidFirst = this.#sender.queue.first
    const payload = buffer.bytes.subarray(0, length)
    this.#emit(this.#writer.data(this.#clock(sentAt), number, this.#commander.saidFirst, payload))
  }

  /** Our own time, as it stands in segments. */
  #clock(nowMs: number): number {
    return (nowMs - this.#since) >>> 0
  }

  /** After input: at once where an interval has passed, or where it makes a difference; else when the interval is over. */
  #turnSoon(nowMs: number): void {
    const untold = this.#state === 'terminating' && this.#commander.untold
    if (untold || (this.#state === 'closing' && this.delivered)) this.turn(nowMs)
    else if (this.#state !== 'terminating') {
      const due = nowMs - this.#tickAt >= this.#sizes.ttiMs && this.#busy
      if (due || this.#receiver.urgent) this.#exchange(nowMs)
      else this.#sender.run(nowMs)
    }
    this.#schedule(nowMs)
  }

  get #busy(): boolean {
    return !this.delivered || this.#receiver.busy || this.#sender.queue.first !== this.#commander.saidFirst
  }

  #schedule(nowMs: number): void {
    if (this.#state === 'terminated') this.#nextAt = Number.POSITIVE_INFINITY
    else if (this.#state === 'terminating') this.#nextAt = this.#commander.terminateAt
    else if (this.#sender.stopped && !this.delivered) this.#nextAt = nowMs + burst.pauseMs
    else if (this.#busy) this.#nextAt = Math.max(nowMs, this.#tickAt + this.#sizes.ttiMs)
    else {
      const leaving = this.#state === 'peerTerminating' && !this.readable
      const leftAt = leaving ? this.#stateAt + times.peerTerminatingMs : Number.POSITIVE_INFINITY
      this.#nextAt = Math.min(this.#commander.saidAt + times.pingEveryMs, leftAt)
    }
  }
}

/** Shared: it is used up before input() calls anybody. */
const reader = new SegmentReader()

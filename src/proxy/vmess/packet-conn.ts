import type { Address } from '../../core/address.ts'
import { type Conn, rootInfo } from '../../core/conn.ts'
import type { PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketEnd } from '../../core/datagrams/packet-end.ts'
import type { Clock, Env, LogFields } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import { nextTurn } from '../../core/time/turn.ts'
import type { BodyOpener, BodySealer } from '../../protocol/vmess/body/body.ts'
import { SealedBatch } from './sealed-batch.ts'

export interface VmessPacketsOptions {
  readonly sealer: BodySealer
  /** Opens the peer's body, and gives every datagram to received(). */
  readonly opener: BodyOpener
  /** Our header: leaves in one write with the first datagram, or with flushHead(). Owned. */
  readonly head: Uint8Array
  /** Bytes of the peer's body that came with its header. Owned. */
  readonly rest?: Uint8Array
  /** The one address that all datagrams go with: the encoding carries none. */
  readonly target: Address
  /** Whether datagrams for other addresses are sent all the same, as if they were for the target: an answer's source is not carried. */
  readonly anySource: boolean
  readonly level?: number
  /** Told of the first datagram that is larger than the peer takes. */
  readonly tooLarge?: (length: number, largest: number) => void
}

/** What a peer takes whole, bytes of a chunk with its size field: V2Ray, Xray, and the rest. */
const peerBuffers = [2_048, 8_192, 65_535] as const

/**
 * Datagrams in a VMess stream of command 2, the same for both ends: a chunk is a datagram. A datagram that is too large for the
 * peer is dropped before anything is drawn for it, so that the stream never gets out of step.
 */
export class VmessPackets extends PacketEnd {
  readonly #base: Conn
  readonly #options: VmessPacketsOptions
  readonly #opener: BodyOpener
  readonly #batch: SealedBatch
  #rest: Uint8Array | undefined
  /** Which of the peer buffers is known to be there. */
  #buffer = 0
  #info: PacketInfo
  /** How many more it takes in this turn of the event loop. */
  #inTurn: number = limits.unitsPerTurn
  #pumping = false
  #closing: Promise<void> | undefined
  #saidTooLarge = false
  #destroyed = false
  #dropped = 0

  constructor(base: Conn, options: VmessPacketsOptions) {
    super()
    this.#base = base
    this.#options = options
    this.#opener = options.opener
    this.#batch = new SealedBatch(base, options.sealer, options.head)
    this.#rest = options.rest?.length ? options.rest : undefined
    this.#info = {
      remote: base.info.remote,
      local: base.info.local,
      largest: this.#largest(),
      encoding: 'plain',
      layers: [...base.info.layers, 'vmess'],
      ...(options.level !== undefined && { level: options.level }),
      carrier: rootInfo(base.info),
    }
    base.holdAtMost(limits.packetsUnsent)
    base.readAtMost?.(limits.packetsRead)
    base.onGone((why) => this.reader.fail(why))
  }

  get info(): PacketInfo {
    return this.#info
  }

  get dropped(): number {
    return this.#dropped
  }

  override drainTo(sink: PacketSink): Promise<void> {
    const drained = super.drainTo(sink)
    if (!this.#pumping && this.reader.reading) {
      this.#pumping = true
      this.#pump().catch((error: Error) => this.#break(error))
    }
    return drained
  }

  send(bytes: Uint8Array, to: Address): boolean {
    const sent = this.#mayTake(bytes, to)
    if (sent) this.#batch.add(bytes)
    else this.#dropped++
    return sent
  }

  /** Sends the header alone, if no datagram has taken it along after `ms`. */
  flushHeadAfter(ms: number, clock: Clock): void {
    this.onGone(clock.after(ms, () => this.flushHead()))
  }

  flushHead(): void {
    if (!this.gone) this.#batch.flushHead()
  }

  closeWrite(): Promise<void> {
    this.#closing ??= this.gone ? Promise.resolve() : this.#batch.finish()
    return this.#closing
  }

  /** Whether our own side has destroyed it; else, when it is gone, the peer or the network was it. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  destroy(why?: Error): void {
    this.#destroyed = true
    if (this.gone) return
    this.#break(why ?? new ProxyError('CONN_CLOSED', 'the VMess connection was closed'))
  }

  #break(error: Error): void {
    this.reader.fail(error)
    this.#batch.drop()
    this.#base.destroy(error)
  }

  async #pump(): Promise<void> {
    const rest = this.#rest
    this.#rest = undefined
    if (rest) this.#open(rest)
    // Behind the terminator nothing counts, but the carrier is still watched: its end is the connection's.
    await this.#base.drainTo((sealed) => {
      if (this.#opener.ended) return
      this.#open(sealed)
      return this.#giveWay()
    })
    if (!this.#opener.ended) this.#opener.end()
    this.reader.end()
  }

  #open(sealed: Uint8Array): void {
    const pooled = takeBuffer(this.#opener.room(sealed.length))
    try {
      this.#opener.open(sealed, pooled.bytes)
    } finally {
      pooled.release()
    }
    if (this.#opener.ended) this.reader.end()
  }

  /** Who sends more than others can wait for is read on in the next turn. */
  #giveWay(): Promise<void> | undefined {
    if (this.#inTurn > 0) return undefined
    this.#inTurn = limits.unitsPerTurn
    return nextTurn()
  }

  /** What the opener found in the peer's body; lent. */
  received(datagram: Uint8Array): void {
    this.#inTurn--
    if (datagram.length > this.#info.largest && this.#buffer < peerBuffers.length - 1) this.#learn(datagram.length)
    this.reader.deliver(datagram, this.#options.target)
  }

  /** Whoever sends more than a V2Ray could is none, and takes as much. */
  #learn(length: number): void {
    while (length > this.#largest() && this.#buffer < peerBuffers.length - 1) this.#buffer++
    this.#info = { ...this.#info, largest: this.#largest() }
  }

  #largest(): number {
    return peerBuffers[this.#buffer]! - this.#options.sealer.maxSealed(0)
  }

  /** An empty chunk would end the body, so an empty datagram cannot be carried. */
  #mayTake(bytes: Uint8Array, to: Address): boolean {
    if (bytes.length === 0 || this.#closing || this.gone || this.#batch.full) return false
    if (bytes.length > this.#info.largest) {
      if (!this.#saidTooLarge) this.#options.tooLarge?.(bytes.length, this.#info.largest)
      this.#saidTooLarge = true
      return false
    }
    const { target, anySource } = this.#options
    return anySource || to === target || (to.port === target.port && to.host === target.host)
  }
}

/** Says that datagrams are too large, once a minute. */
export function tooLargeLog({ clock, log }: Env, where: LogFields): (length: number, largest: number) => void {
  const due = onceEvery(clock, 60_000)
  return (length, largest) => {
    if (!due('')) return
    const hint = 'the program behind it should send smaller ones; QUIC and most others find out by themselves'
    log.warn({ ...where, hint }, `dropping datagrams of over ${largest} bytes, such as one of ${length}`)
  }
}

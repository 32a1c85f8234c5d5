/**
 * Two ends of one datagram tunnel inside the process, for tests and for programs that embed both sides.
 *
 * As strict as the memory pair of streams: lent bytes are overwritten as soon as the sink has returned, and a sink never
 * runs inside send(). What is under way while nobody drains is kept up to a bound, and dropped beyond it.
 */

import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketEnd } from '../../core/datagrams/packet-end.ts'
import { ProxyError } from '../../core/errors.ts'

export interface MemoryPacketsOptions {
  /** Datagrams under way in one direction above which send() drops. Default 256. */
  readonly room?: number
  /** Overrides of what each end says about itself. */
  readonly info?: readonly [Partial<PacketInfo>, Partial<PacketInfo>]
}

/** A connected pair: what is sent on one end comes out of the other, with the address that it was sent to. */
export function memoryPackets(options: MemoryPacketsOptions = {}): [PacketConn, PacketConn] {
  const room = options.room ?? 256
  const a = new MemoryPackets(room, options.info?.[0])
  const b = new MemoryPackets(room, options.info?.[1])
  a.peer = b
  b.peer = a
  return [a, b]
}

const OVERWRITTEN = 0xdb

interface Parcel {
  readonly bytes: Uint8Array
  readonly address: Address
}

class MemoryPackets extends PacketEnd {
  readonly info: PacketInfo
  peer!: MemoryPackets
  readonly #room: number
  /** What the other end has sent and nobody has taken here. */
  readonly #incoming: Parcel[] = []
  #dropped = 0
  #closed = false
  #peerClosed = false
  #wakeScheduled = false

  constructor(room: number, info: Partial<PacketInfo> = {}) {
    super()
    this.#room = room
    this.info = { remote: '', local: '', largest: 65_535, encoding: 'memory', layers: ['memory'], ...info }
  }

  get dropped(): number {
    return this.#dropped
  }

  override drainTo(sink: PacketSink): Promise<void> {
    const drained = super.drainTo(sink)
    this.#wake()
    return drained
  }

  send(bytes: Uint8Array, to: Address): boolean {
    const taken = !this.gone && !this.#closed && bytes.length <= this.info.largest && this.peer.#receive(bytes, to)
    if (!taken) this.#dropped++
    return taken
  }

  closeWrite(): void {
    if (this.gone || this.#closed) return
    this.#closed = true
    this.peer.#peerClosed = true
    this.peer.#wake()
  }

  destroy(why?: Error): void {
    if (this.gone) return
    this.#incoming.length = 0
    this.reader.fail(why ?? new ProxyError('CONN_CLOSED', 'memory end destroyed'))
    this.peer.#otherEndGone()
  }

  #receive(bytes: Uint8Array, address: Address): boolean {
    if (this.#incoming.length >= this.#room) return false
    this.#incoming.push({ bytes: new Uint8Array(bytes), address })
    this.#wake()
    return true
  }

  #otherEndGone(): void {
    if (this.#peerClosed) return
    this.#incoming.length = 0
    this.reader.fail(new ProxyError('CONN_RESET', 'the other end of the memory pair was destroyed'))
  }

  /** In a microtask, so that a send never runs the other end's sink inside itself. */
  #wake(): void {
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    queueMicrotask(() => {
      this.#wakeScheduled = false
      while (this.reader.reading && this.#incoming.length > 0) {
        const { bytes, address } = this.#incoming.shift()!
        this.reader.deliver(bytes, address)
        bytes.fill(OVERWRITTEN)
      }
      if (this.#peerClosed && this.#incoming.length === 0) this.reader.end()
    })
  }
}

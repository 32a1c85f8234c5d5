import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketReader } from '../../core/datagrams/packet-reader.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import type { Cancel } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { SocksUdpReader, SocksUdpWriter } from '../../protocol/socks/udp.ts'

/** Header of an answer from an IPv6 address, bytes: the longest but for names. */
const headerRoom = 22

/**
 * The datagrams of a SOCKS5 client, without their headers. What cannot be carried (fragments above all) is dropped. It
 * reads from the beginning: only the first datagram that can be carried says where they go.
 */
export class SocksPackets implements PacketConn {
  readonly info: PacketInfo
  readonly #base: PacketConn
  readonly #reader = new PacketReader()
  readonly #headers = new SocksUdpReader()
  readonly #writer = new SocksUdpWriter()
  readonly #waiting = new WaitingPackets<Address>()
  #waitingBytes = 0
  #dropped = 0
  #begun: ((target: Address) => void) | undefined

  /** @param begun called once, with the target of the first datagram */
  constructor(base: PacketConn, begun: (target: Address) => void) {
    this.#base = base
    this.#begun = begun
    this.info = { ...base.info, largest: base.info.largest - headerRoom, layers: [...base.info.layers, 'socks'] }
    base.onGone((why) => {
      this.#waiting.drop()
      this.#reader.fail(why)
    })
    base
      .drainTo((lent) => this.#received(lent))
      .then(
        () => this.#reader.end(),
        (error: Error) => this.destroy(error),
      )
  }

  get gone(): Error | undefined {
    return this.#reader.life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#reader.life.onGone(run)
  }

  get dropped(): number {
    return this.#base.dropped + this.#dropped
  }

  drainTo(sink: PacketSink): Promise<void> {
    const drained = this.#reader.drainTo(sink)
    this.#waitingBytes = 0
    this.#waiting.release((bytes, to) => this.#reader.deliver(bytes, to))
    return drained
  }

  send(bytes: Uint8Array, from: Address): boolean {
    // One without data is dropped by every client.
    if (bytes.length === 0 || bytes.length > this.info.largest) {
      this.#dropped++
      return false
    }
    const header = this.#writer.header(from)
    const { bytes: whole, release } = takeBuffer(header.length + bytes.length)
    whole.set(header)
    whole.set(bytes, header.length)
    const sent = this.#base.send(whole.subarray(0, header.length + bytes.length), from)
    release()
    return sent
  }

  closeWrite(): void | Promise<void> {
    return this.#base.closeWrite()
  }

  destroy(why?: Error): void {
    this.#base.destroy(why)
  }

  #received(lent: Uint8Array): void {
    const at = this.#headers.open(lent)
    if (at < 0) return
    const { address } = this.#headers
    this.#begun?.(address)
    this.#begun = undefined
    const data = lent.subarray(at)
    if (this.#reader.deliver(data, address) || this.#waitingBytes + data.length > limits.udpHeld) return
    this.#waitingBytes += data.length
    this.#waiting.add(data, address)
  }
}

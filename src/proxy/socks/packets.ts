import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketInfo } from '../../core/datagrams/packet.ts'
import { HoldingEnd } from '../../core/datagrams/packet-end.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { SocksUdpReader, SocksUdpWriter } from '../../protocol/socks/udp.ts'

/** Header of an answer from an IPv6 address, bytes: the longest but for names. */
const headerRoom = 22

/**
 * The datagrams of a SOCKS5 client, without their headers. What cannot be carried (fragments above all) is dropped. It
 * reads from the beginning: only the first datagram that can be carried says where they go.
 */
export class SocksPackets extends HoldingEnd {
  readonly info: PacketInfo
  readonly #base: PacketConn
  readonly #headers = new SocksUdpReader()
  readonly #writer = new SocksUdpWriter()
  /** Answers that the client could not be given. */
  #lost = 0
  #begun: ((target: Address) => void) | undefined

  /** @param begun called once, with the target of the first datagram */
  constructor(base: PacketConn, begun: (target: Address) => void) {
    super(new WaitingPackets(limits.packetsWaiting, limits.udpHeld))
    this.#base = base
    this.#begun = begun
    this.info = { ...base.info, largest: base.info.largest - headerRoom, layers: [...base.info.layers, 'socks'] }
    base.onGone((why) => {
      this.forget()
      this.reader.fail(why)
    })
    base
      .drainTo((lent) => this.#received(lent))
      .then(
        () => this.reader.end(),
        (error: Error) => this.destroy(error),
      )
  }

  get dropped(): number {
    return this.#base.dropped + this.#lost
  }

  send(bytes: Uint8Array, from: Address): boolean {
    // One without data is dropped by every client.
    if (bytes.length === 0 || bytes.length > this.info.largest) {
      this.#lost++
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
    this.take(lent.subarray(at), address)
  }
}

import { type Address, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'
import { ProxyError } from '../../core/errors.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { SocksUdpReader, SocksUdpWriter } from '../../protocol/socks/udp.ts'

/** Header of a datagram to an IPv6 address, bytes: the longest but for names. */
const headerRoom = 22

export interface Association {
  /** The connection for as long as which the proxy carries datagrams. */
  readonly control: Conn
  /** Where the proxy takes them. */
  readonly relay: Address
  /** Policy level of the account. */
  readonly level: number | undefined
}

/** Datagrams through a SOCKS5 proxy, over a UDP socket of ours. It ends with the connection by which it was asked for. */
export class AssociatedPackets extends PacketLayer {
  readonly #association: Association
  /** Whether answers can be told by where they come from: not where the way there takes names. */
  readonly #checked: boolean
  readonly #reader = new SocksUdpReader()
  readonly #writer = new SocksUdpWriter()

  /** Takes both over. */
  constructor(udp: PacketConn, association: Association) {
    super(udp)
    this.#association = association
    const { control, relay } = association
    this.#checked = parseHost(relay.host).kind !== 'domain'
    udp.onGone((why) => control.destroy(why))
    control.onGone((why) => udp.destroy(why))
    control
      .drainTo(() => {})
      .then(
        () => udp.destroy(new ProxyError('CONN_CLOSED', 'the SOCKS proxy has ended the association')),
        () => {}, // it is gone, and so are they
      )
  }

  override get info(): PacketInfo {
    const { base } = this
    const { level } = this.#association
    const layers = [...base.info.layers, 'socks']
    return { ...base.info, layers, largest: base.info.largest - headerRoom, ...(level !== undefined && { level }) }
  }

  override drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo((lent, from) => {
      const at = this.#isRelay(from) ? this.#reader.open(lent) : -1
      if (at >= 0) sink(lent.subarray(at), this.#reader.address)
    })
  }

  #isRelay({ host, port }: Address): boolean {
    const { relay } = this.#association
    return !this.#checked || (port === relay.port && host === relay.host)
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    // One without data is dropped by every proxy.
    if (bytes.length === 0 || bytes.length > this.base.info.largest - headerRoom) return this.drop()
    const header = this.#writer.header(to)
    const whole = takeBuffer(header.length + bytes.length)
    whole.bytes.set(header)
    whole.bytes.set(bytes, header.length)
    const sent = this.base.send(whole.bytes.subarray(0, header.length + bytes.length), this.#association.relay)
    whole.release()
    return sent
  }
}

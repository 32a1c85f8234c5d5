import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketConn, PacketDialer, PacketDialOptions, PacketInfo } from '../../core/datagrams/packet.ts'
import { PacketEnd } from '../../core/datagrams/packet-end.ts'
import { ProxyError } from '../../core/errors.ts'
import { dialError, isFamilyMissing } from '../errors.ts'
import { largestUdp, UdpSocket } from './udp-socket.ts'

/**
 * Opens UDP sockets that talk to everybody, by IP address. One socket speaks both families: measured, a datagram costs the
 * same on it as on one of IPv4, and a session keeps one port whatever it sends to. A machine without IPv6 gets one of IPv4.
 */
export const udpDialer = ({ localAddress }: UdpOptions = {}): PacketDialer => ({
  open: (options) => openUdp(options, localAddress?.()),
})

export interface UdpOptions {
  /** The IP address that a socket sends from, and by which it speaks one family only; asked for each. */
  readonly localAddress?: () => string
}

async function openUdp({ until, first }: PacketDialOptions, local: string | undefined): Promise<PacketConn> {
  if (until.gone) throw until.gone
  let conn = new UdpConn(local ?? '::')
  try {
    try {
      await conn.ready
    } catch (error) {
      if (!isFamilyMissing(error) || local !== undefined) throw error
      conn = new UdpConn('0.0.0.0')
      await conn.ready
    }
  } catch (error) {
    const from = local === undefined ? '' : ` from ${local}`
    throw dialError(error, `${first ? formatAddress(first) : 'anybody'} by UDP${from}`)
  }
  if (until.gone) {
    conn.destroy()
    throw until.gone
  }
  return conn
}

class UdpConn extends PacketEnd {
  readonly ready: Promise<void>
  readonly #socket: UdpSocket
  #info: PacketInfo = { remote: '', local: '', largest: largestUdp, encoding: 'udp', layers: ['udp'] }
  #closed = false
  /** After closeWrite() or destroy(). */
  #late = 0

  constructor(host: string) {
    super()
    this.#socket = new UdpSocket({ host, port: 0 }, (lent, from) => this.reader.deliver(lent, from))
    this.ready = this.#socket.ready.then((address) => {
      this.#info = { ...this.#info, local: formatAddress(address) }
    })
  }

  get info(): PacketInfo {
    return this.#info
  }

  get dropped(): number {
    return this.#socket.dropped + this.#late
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (!this.#closed) return this.#socket.send(bytes, to)
    this.#late++
    return false
  }

  closeWrite(): void | Promise<void> {
    this.#closed = true
    return this.#socket.flushed()
  }

  destroy(why?: Error): void {
    if (this.gone) return
    this.#closed = true
    this.#socket.close()
    this.reader.fail(why ?? new ProxyError('CONN_CLOSED', 'the UDP socket was closed'))
  }
}

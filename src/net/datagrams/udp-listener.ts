import { type Address, formatAddress } from '../../core/address.ts'
import type { UdpListener, UdpListening } from '../../core/datagrams/packet.ts'
import { isFamilyMissing, listenError } from '../errors.ts'
import { UdpSocket } from './udp-socket.ts'

type Receive = (lent: Uint8Array, from: Address, at: UdpListening) => void

/** Listens on UDP addresses. `::` hears IPv4, too, whose addresses look like IPv4, unless it is `ipv6Only`. */
export const udpListener = ({ ipv6Only = false }: { readonly ipv6Only?: boolean } = {}): UdpListener => ({
  listen: (at, receive) => listen(at, receive, ipv6Only),
})

async function listen(at: Address, receive: Receive, ipv6Only: boolean): Promise<UdpListening> {
  const listening = new ListeningSocket(at, receive, ipv6Only)
  try {
    await listening.ready
    return listening
  } catch (error) {
    // "All addresses" is written `::`; a machine without IPv6 has only the other half of it.
    if (at.host === '::' && !ipv6Only && isFamilyMissing(error))
      return listen({ ...at, host: '0.0.0.0' }, receive, false)
    throw listenError(error, `${formatAddress(at)} (UDP)`)
  }
}

class ListeningSocket implements UdpListening {
  readonly ready: Promise<void>
  address: Address
  readonly #socket: UdpSocket

  constructor(at: Address, receive: Receive, ipv6Only: boolean) {
    this.address = at
    this.#socket = new UdpSocket(at, (lent, from) => receive(lent, from, this), ipv6Only)
    this.ready = this.#socket.ready.then((bound) => {
      this.address = bound
    })
  }

  get dropped(): number {
    return this.#socket.dropped
  }

  send(bytes: Uint8Array, to: Address): boolean {
    return this.#socket.send(bytes, to)
  }

  close(): void {
    this.#socket.close()
  }
}

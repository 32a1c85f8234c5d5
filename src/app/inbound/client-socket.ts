import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketInfo } from '../../core/datagrams/packet.ts'
import { HoldingEnd } from '../../core/datagrams/packet-end.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'

/** The UDP address that a client socket talks to. */
export interface ClientDoor {
  readonly address: Address
  send(bytes: Uint8Array, to: Address): boolean
}

/** The largest datagram of UDP over IPv4, bytes. */
const largest = 65_507

/**
 * The datagrams of one client socket at a UDP address of ours. What comes goes with that address of ours, what is sent goes
 * to the client, whatever the address: what they are about is the business of who speaks the client's protocol.
 */
export class ClientSocket extends HoldingEnd {
  readonly info: PacketInfo
  dropped = 0
  readonly #door: ClientDoor
  readonly #from: Address
  readonly #at: Address
  #closed = false

  constructor(door: ClientDoor, from: Address) {
    super(new WaitingPackets(limits.packetsWaiting, limits.udpHeld))
    this.#door = door
    this.#from = from
    this.#at = door.address
    const [remote, local] = [formatAddress(from), formatAddress(door.address)]
    this.info = { remote, local, largest, encoding: 'udp', layers: ['udp'] }
  }

  /** A datagram of the client; lent. */
  received(lent: Uint8Array): void {
    this.take(lent, this.#at)
  }

  send(bytes: Uint8Array): boolean {
    const sent = !this.#closed && !this.gone && this.#door.send(bytes, this.#from)
    if (!sent) this.dropped++
    return sent
  }

  closeWrite(): void {
    this.#closed = true
  }

  destroy(why: Error = new ProxyError('CONN_CLOSED', 'the datagrams of a client were ended')): void {
    this.forget()
    this.reader.fail(why)
  }
}

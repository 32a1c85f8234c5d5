import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketReader } from '../../core/datagrams/packet-reader.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import type { Cancel } from '../../core/env.ts'
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
export class ClientSocket implements PacketConn {
  readonly info: PacketInfo
  dropped = 0
  readonly #door: ClientDoor
  readonly #from: Address
  readonly #at: Address
  readonly #reader = new PacketReader()
  /** What has come before somebody reads. */
  readonly #waiting = new WaitingPackets<undefined>()
  #waitingBytes = 0
  #closed = false

  constructor(door: ClientDoor, from: Address) {
    this.#door = door
    this.#from = from
    this.#at = door.address
    const [remote, local] = [formatAddress(from), formatAddress(door.address)]
    this.info = { remote, local, largest, encoding: 'udp', layers: ['udp'] }
  }

  get gone(): Error | undefined {
    return this.#reader.life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#reader.life.onGone(run)
  }

  /** A datagram of the client; lent. */
  received(lent: Uint8Array): void {
    if (this.#reader.deliver(lent, this.#at)) return
    if (this.gone || this.#waitingBytes + lent.length > limits.udpHeld) return
    this.#waitingBytes += lent.length
    this.#waiting.add(lent, undefined)
  }

  drainTo(sink: PacketSink): Promise<void> {
    const drained = this.#reader.drainTo(sink)
    this.#waitingBytes = 0
    this.#waiting.release((bytes) => this.#reader.deliver(bytes, this.#at))
    return drained
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
    this.#waiting.drop()
    this.#reader.fail(why)
  }
}

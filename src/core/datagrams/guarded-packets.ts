import type { Address } from '../address.ts'
import type { PacketConn } from './packet.ts'
import { PacketLayer } from './packet-layer.ts'

/** Sends only where `allows` says so, which is asked for every datagram; what it refuses is dropped and counted. */
export const guardedPackets = (base: PacketConn, allows: (to: Address) => boolean): PacketConn =>
  new GuardedPackets(base, allows)

class GuardedPackets extends PacketLayer {
  readonly #allows: (to: Address) => boolean

  constructor(base: PacketConn, allows: (to: Address) => boolean) {
    super(base)
    this.#allows = allows
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    return this.#allows(to) ? this.base.send(bytes, to) : this.drop()
  }
}

import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'

/** Everything that comes is for one target. */
export class FixedPackets extends PacketLayer {
  readonly #target: Address

  constructor(base: PacketConn, target: Address) {
    super(base)
    this.#target = target
  }

  override drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo((lent) => sink(lent, this.#target))
  }
}

import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'
import { limits } from '../../core/limits.ts'

/**
 * Sends what is for one target to its name instead. The client knows nothing of that: what answers from the name, or from
 * the port of the name at an address that the client never named, comes from the target.
 */
export class RenamedPackets extends PacketLayer {
  readonly #target: Address
  readonly #name: Address
  /** Other hosts that the client sends to, the latest few. */
  readonly #others = new Set<string>()

  constructor(base: PacketConn, target: Address, name: Address) {
    super(base)
    this.#target = target
    this.#name = name
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (to.host === this.#target.host && to.port === this.#target.port) return this.base.send(bytes, this.#name)
    this.#others.add(to.host)
    if (this.#others.size > limits.packetTargets) this.#others.delete(this.#others.values().next().value!)
    return this.base.send(bytes, to)
  }

  override drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo((lent, from) => sink(lent, this.#answers(from) ? this.#target : from))
  }

  #answers({ host, port }: Address): boolean {
    return port === this.#target.port && (host === this.#name.host || !this.#others.has(host))
  }
}

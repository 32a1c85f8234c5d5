import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'

/** Puts the given host, port or both in the place of every target's. Answers keep their true source. */
export class RedirectedPackets extends PacketLayer {
  readonly #redirect: Address
  #asked: Address | undefined
  #target: Address = { host: '', port: 0 }

  /** @param redirect host `''` or port 0: that of the target */
  constructor(base: PacketConn, redirect: Address) {
    super(base)
    this.#redirect = redirect
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (to !== this.#asked) {
      this.#asked = to
      this.#target = { host: this.#redirect.host || to.host, port: this.#redirect.port || to.port }
    }
    return this.base.send(bytes, this.#target)
  }
}

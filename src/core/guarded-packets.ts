import type { Address } from './address.ts'
import type { Cancel } from './env.ts'
import type { PacketConn, PacketInfo, PacketSink } from './packet.ts'

/** Sends only where `allows` says so, which is asked for every datagram; what it refuses is dropped and counted. */
export const guardedPackets = (base: PacketConn, allows: (to: Address) => boolean): PacketConn =>
  new GuardedPackets(base, allows)

class GuardedPackets implements PacketConn {
  readonly #base: PacketConn
  readonly #allows: (to: Address) => boolean
  #refused = 0

  constructor(base: PacketConn, allows: (to: Address) => boolean) {
    this.#base = base
    this.#allows = allows
  }

  get info(): PacketInfo {
    return this.#base.info
  }

  get gone(): Error | undefined {
    return this.#base.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#base.onGone(run)
  }

  get dropped(): number {
    return this.#base.dropped + this.#refused
  }

  drainTo(sink: PacketSink): Promise<void> {
    return this.#base.drainTo(sink)
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (this.#allows(to)) return this.#base.send(bytes, to)
    this.#refused++
    return false
  }

  closeWrite(): void | Promise<void> {
    return this.#base.closeWrite()
  }

  destroy(why?: Error): void {
    this.#base.destroy(why)
  }
}

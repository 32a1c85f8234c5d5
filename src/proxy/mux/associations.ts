import type { KnownSockets, PacketConn } from '../../core/datagrams/packet.ts'
import type { Clock } from '../../core/env.ts'
import { RovingPackets } from './roving.ts'

/**
 * Who has which GlobalID. Each user has a table of his own: the ids of another, even if they were known, lead nowhere.
 * One of these serves all inbounds at which a user may arrive.
 */
export class Associations implements KnownSockets {
  readonly #clock: Clock
  readonly #known = new Map<string, RovingPackets>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sockets of clients that are known. */
  get size(): number {
    return this.#known.size
  }

  join(user: string, globalId: Uint8Array, conn: PacketConn): PacketConn | undefined {
    const key = `${user} ${globalId.join('.')}`
    const known = this.#known.get(key)
    if (known) {
      known.moveTo(conn)
      return undefined
    }
    const roving = new RovingPackets(this.#clock, conn)
    this.#known.set(key, roving)
    roving.onGone(() => this.#known.delete(key))
    return roving
  }
}

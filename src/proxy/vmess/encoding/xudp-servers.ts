import type { PacketConn } from '../../../core/datagrams/packet.ts'
import { limits } from '../../../core/limits.ts'

/**
 * What a server has shown of itself: its answers say where they come from, so that it knows XUDP; they do not, as those of
 * V2Ray, which sends all datagrams of a session to the first target; or it ends a connection for XUDP.
 */
export type XudpManner = 'sources' | 'bare' | 'refuses'

/** What the servers of one outbound have shown. They are known by address and port. */
export class XudpServers {
  readonly #known = new Map<string, XudpManner>()
  #latest: XudpManner | undefined

  of(remote: string): XudpManner | undefined {
    return this.#known.get(remote)
  }

  /** The last word counts: a server may have become another one. */
  learn(remote: string, manner: XudpManner): void {
    this.#known.delete(remote)
    this.#known.set(remote, manner)
    this.#latest = manner
    if (this.#known.size > limits.xudpServers) this.#known.delete(this.#known.keys().next().value!)
  }

  /** Whether the server that is reached next will probably take datagrams for every target in one session. */
  get expected(): boolean {
    return this.#latest === 'sources'
  }

  /** Whether this connection takes datagrams for every target. */
  carryAll({ info }: PacketConn): boolean {
    return info.encoding === 'xudp' && this.of(info.remote) === 'sources'
  }
}

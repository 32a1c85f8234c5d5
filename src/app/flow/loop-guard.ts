import { endpointHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Session } from '../../core/session.ts'

/** Of `host:port` or `[host]:port`. */
const portOf = (endpoint: string): string => endpoint.slice(endpoint.lastIndexOf(':') + 1)

/** The inbounds that a flow came through, the last one last. */
type Path = readonly string[]

/**
 * Notices a flow that comes back to an inbound it already passed, at its second visit and not when memory is gone.
 * A connection of ours is recognised on the accepting side by its local endpoint, so nothing is guessed from addresses.
 */
export class LoopGuard {
  readonly #ports = new Set<string>()
  /** Our own connections to our own ports, by local endpoint. */
  readonly #dialed = new Map<string, Path>()
  readonly #paths = new WeakMap<Session, Path>()

  /** A port of ours; only connections to these are looked at. */
  listening(endpoint: string): void {
    this.#ports.add(portOf(endpoint))
  }

  /** A flow starts at `inbound`. False if it already passed it: a loop. */
  entered(near: Conn, session: Session, inbound: string): boolean {
    const before = this.#dialed.get(near.info.remote) ?? []
    if (before.includes(inbound)) return false
    this.#paths.set(session, [...before, inbound])
    return true
  }

  /** A dialer that remembers what it dials to ourselves. */
  watch(base: Dialer): Dialer {
    return {
      dial: async (to, options) => {
        const conn = await base.dial(to, options)
        const path = options.session && this.#paths.get(options.session)
        if (path && this.#ports.has(portOf(conn.info.remote))) this.#remember(conn, path)
        return conn
      },
    }
  }

  #remember(conn: Conn, path: Path): void {
    const { local, remote } = conn.info
    // One that is gone already leaves no port behind that an honest client could get.
    if (conn.gone || endpointHost(local) !== endpointHost(remote)) return
    this.#dialed.set(local, path)
    conn.onGone(() => this.#dialed.delete(local))
  }
}

import { endpointHost, endpointPort, parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { guardedPackets } from '../../core/datagrams/guarded-packets.ts'
import type { PacketConn, PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Ground } from '../../core/ground.ts'
import type { Session } from '../../core/session.ts'
import { type OwnPaths, ownPaths, type Path } from './own-paths.ts'

/**
 * Notices a flow that comes back to an inbound it already passed, at its second visit and not when memory is gone.
 * A connection of ours is recognised on the accepting side by its local endpoint, so nothing is guessed from addresses.
 * A UDP socket of ours has no one address; it is recognised by its port, once it has sent to a port of ours on this machine.
 * Where threads share what they remember, a flow is known whichever of them dialled it.
 */
export class LoopGuard {
  readonly #paths: OwnPaths
  #isOwn: Ground['isOwn'] = () => false

  constructor(paths: OwnPaths = ownPaths()) {
    this.#paths = paths
  }

  /** A port of ours; only connections to these are looked at. */
  listening(endpoint: string): void {
    this.#paths.listening(endpointPort(endpoint))
  }

  /** A flow starts at `inbound`. False if it already passed it: a loop. */
  entered(near: Conn | PacketConn, session: Session, inbound: string): boolean {
    // Our own connection is known by the socket, whoever a balancer says that the client is.
    const { layers, remote } = near.info.carrier ?? near.info
    const before = layers[0] === 'udp' ? this.#senderOf(remote) : this.#paths.streams.get(remote)
    const mark = this.#paths.mark(inbound)
    if (before?.includes(mark)) return false
    session.passed = before ? [...before, mark] : [mark]
    return true
  }

  /** A way to the world that remembers what goes to ourselves. */
  watch(ground: Ground): Ground {
    this.#isOwn = ground.isOwn
    return { ...ground, tcp: this.#watchStreams(ground.tcp), udp: this.#watchDatagrams(ground) }
  }

  #senderOf(source: string): Path | undefined {
    const from = parseAddress(source)
    const path = from && this.#paths.datagrams.get(String(from.port))
    return path && this.#isOwn(from.host) ? path : undefined
  }

  #watchDatagrams(ground: Ground): PacketDialer {
    return {
      open: async (options) => {
        const conn = await ground.udp.open(options)
        const path = options.session?.passed
        const from = parseAddress(conn.info.local)?.port
        if (!path || from === undefined) return conn
        conn.onGone(() => this.#paths.datagrams.delete(String(from)))
        return guardedPackets(conn, ({ host, port }) => {
          // Nothing leaves a socket that is gone, and an honest client may have its port by now.
          if (!conn.gone && this.#paths.isOurs(port) && ground.isOwn(host))
            this.#paths.datagrams.set(String(from), path)
          return true
        })
      },
    }
  }

  #watchStreams(base: Dialer): Dialer {
    return {
      dial: (to, options) =>
        base.dial(to, options).then((conn) => {
          const path = options.session?.passed
          if (path && this.#paths.isOurs(endpointPort(conn.info.remote))) this.#remember(conn, path)
          return conn
        }),
    }
  }

  #remember(conn: Conn, path: Path): void {
    const { local, remote } = conn.info
    // One that is gone already leaves no port behind that an honest client could get.
    if (conn.gone || endpointHost(local) !== endpointHost(remote)) return
    this.#paths.streams.set(local, path)
    conn.onGone(() => this.#paths.streams.delete(local))
  }
}

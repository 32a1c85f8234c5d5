import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { dialDeadline } from '../../core/deadline.ts'
import type { DialOptions } from '../../core/dialer.ts'
import type { Clock, Env } from '../../core/env.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { PacketConn, PacketDialer } from '../../core/packet.ts'
import type { Session } from '../../core/session.ts'
import type { ClientSession, ClientSessionOptions } from '../../protocol/vmess/client.ts'
import { tooLargeLog, VmessPackets } from './packet-conn.ts'
import { PacketLinks } from './packet-links.ts'

export type WantedSession = Pick<ClientSessionOptions, 'command' | 'target' | 'packet'>

/** What became of a connection to a server. */
export interface Opened {
  /** Sends the request header alone, if no payload has taken it along after `ms`. */
  flushHeadAfter(ms: number, clock: Clock): void
  /** Whether our own side has ended it. */
  readonly destroyed: boolean
}

/** Connects to a server and begins a session there. */
export type OpenSession = <C extends Opened>(
  options: DialOptions,
  want: WantedSession,
  wrap: (base: Conn, session: ClientSession, identity: { readonly level: number }) => C,
) => Promise<C>

/** Opens client sockets by command 2. Where the first target is known its connection is there when open() resolves. */
export function packetDialer(outbound: string, env: Env, openSession: OpenSession): PacketDialer {
  const tooLarge = tooLargeLog(env, { outbound })
  return {
    async open({ until, session, first }) {
      if (until.gone) throw until.gone
      const open = (target: Address, within: Lifetime) => dial(target, within, session)
      const conn = first && (await open(first, until))
      return new PacketLinks({ clock: env.clock, open }, conn && { target: first, conn })
    },
  }

  async function dial(target: Address, within: Lifetime, session: Session | undefined): Promise<PacketConn> {
    const limit = dialDeadline(env.clock, within)
    const packet = (datagram: Uint8Array) => conn.received(datagram)
    let conn: VmessPackets
    try {
      return await openSession(
        { until: limit.until, ...(session && { session }) },
        { command: 'udp', target, packet },
        (base, begun, { level }) => {
          const { sealer, opener } = begun
          const head = begun.head()
          conn = new VmessPackets(base, { sealer, opener, head, target, anySource: false, level, tooLarge })
          return conn
        },
      )
    } finally {
      limit.done()
    }
  }
}

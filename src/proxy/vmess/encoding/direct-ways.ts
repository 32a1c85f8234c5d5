import type { Conn } from '../../../core/conn.ts'
import type { Env } from '../../../core/env.ts'
import { dialDeadline } from '../../../core/time/deadline.ts'
import { muxTarget } from '../../../protocol/vmess/header/request.ts'
import { xudpOver } from '../../mux/xudp.ts'
import type { VmessConn } from '../conn.ts'
import { tooLargeLog, VmessPackets, type VmessPacketsOptions } from '../packet-conn.ts'
import { type OpenSession, type SessionPlan, streamPlan } from '../session-plan.ts'
import type { PacketWays, WayOptions } from './packet-ways.ts'

/** Each way is a connection of its own: by command 2, or XUDP by command 3. */
export function directWays(outbound: string, env: Env, openSession: OpenSession): PacketWays {
  const tooLarge = tooLargeLog(env, { outbound })
  return {
    onTrial: true,
    single: (target, options) => open(options, () => packetPlan({ target, anySource: false, tooLarge })),
    async addressed(target, { globalId, answered, spoke, refused, ...options }) {
      const conn = await open<VmessConn | VmessPackets>(options, ({ info }) =>
        refused?.(info.remote)
          ? packetPlan({ target, anySource: false, tooLarge })
          : streamPlan({ command: 'mux', target: muxTarget }, true),
      )
      if (conn instanceof VmessPackets) return conn
      return xudpOver(conn, env.clock, {
        ...(globalId && { globalId }),
        ...(answered && { answered }),
        ...(spoke && { spoke }),
      })
    },
  }

  async function open<C extends VmessConn | VmessPackets>(
    { until, session }: WayOptions,
    plan: (base: Conn) => SessionPlan<C>,
  ): Promise<C> {
    const limit = dialDeadline(env.clock, until)
    try {
      return await openSession({ until: limit.until, ...(session && { session }) }, plan)
    } finally {
      limit.done()
    }
  }
}

type PlanOptions = Pick<VmessPacketsOptions, 'target' | 'anySource' | 'tooLarge'>

function packetPlan(options: PlanOptions): SessionPlan<VmessPackets> {
  let conn: VmessPackets
  return {
    want: { command: 'udp', target: options.target, packet: (datagram) => conn.received(datagram) },
    wrap: (base, session, { level }) => {
      const { sealer, opener } = session
      conn = new VmessPackets(base, { ...options, sealer, opener, head: session.head(), level })
      return conn
    },
  }
}

import type { Address } from '../../core/address.ts'
import { BegunPackets } from '../../core/datagrams/begun-packets.ts'
import type { KnownSockets, PacketConn } from '../../core/datagrams/packet.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ended, InboundIo } from '../../core/inbound.ts'
import type { FlowUser } from '../../core/session.ts'
import { sequencedTarget, streamTarget } from '../../protocol/packetaddr/unit.ts'
import { serveMux } from '../mux/server.ts'
import type { VmessConn } from './conn.ts'
import { PacketaddrPackets } from './encoding/packetaddr.ts'
import { StreamedUnits } from './encoding/streamed-units.ts'

export interface RequestMuxDeps {
  readonly env: Env
  readonly associations: KnownSockets
  /** The user of the carrier as of now; undefined once there is none. */
  readonly user: () => Required<FlowUser> | undefined
}

/**
 * Serves the carrier of a client that asked for command 3: every sub-stream is a flow of its own, and counts as a
 * connection of the user. A carrier outlives changes of its user, so each sub-stream goes by the user of its time.
 */
export function requestMux(near: VmessConn, io: InboundIo, { env, associations, user }: RequestMuxDeps): Promise<void> {
  const asked = (
    network: 'tcp' | 'udp',
    target: Address,
    carry: (user: Required<FlowUser>) => Promise<Ended>,
  ): void => {
    const now = user()
    if (now) {
      carry(now).catch((error: unknown) => {
        env.log.error({ err: error, network, target }, 'a sub-stream failed in an unexpected way')
      })
    } else near.destroy(new ProxyError('USER_REMOVED', 'the user of the carrier was removed'))
  }
  /** packetaddr: the first datagram says where the flow goes. */
  const carryUnits = (target: Address, packets: PacketConn): void =>
    asked('udp', target, async (user) => {
      const units = new BegunPackets(packets)
      const first = await units.first.catch(() => undefined)
      return first && io.carryPackets(units, { network: 'udp', target: first, user })
    })
  return serveMux(near, env, {
    stream(conn, target) {
      if (target.host.toLowerCase() === streamTarget.host) return carryUnits(target, new StreamedUnits(conn))
      asked('tcp', target, (user) => io.carry(conn, { network: 'tcp', target, user }))
    },
    packets(conn, target, globalId) {
      if (target.host.toLowerCase() === sequencedTarget.host) return carryUnits(target, new PacketaddrPackets(conn))
      asked('udp', target, async (user) => {
        const packets = globalId ? associations.join(user.id.join('.'), globalId, conn) : conn
        return packets && io.carryPackets(packets, { network: 'udp', target, user })
      })
    },
    refused: (why) => io.reject(near, why, user()),
  })
}

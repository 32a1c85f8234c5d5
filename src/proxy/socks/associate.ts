/**
 * UDP ASSOCIATE: a client asks by TCP, and may send datagrams for as long as that connection lasts.
 *
 * The UDP port has the number of the TCP port, for all clients, so that a port that is published or forwarded works; clients
 * are told apart by where they send from. Only datagrams from the IP address of the TCP connection are taken, whatever
 * address the client names in its request: V2Ray names its target there. A port that it names is preferred.
 */

import { type Address, parseAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { UdpDoor } from '../../core/datagrams/udp-door.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { InboundIo } from '../../core/inbound.ts'
import { limits } from '../../core/limits.ts'
import type { FlowUser } from '../../core/session.ts'
import { socksReply } from '../../protocol/socks/reply.ts'
import { SocksPackets } from './packets.ts'

export interface Association {
  readonly door: UdpDoor
  /** Port that the client means to send from; 0: any. */
  readonly port: number
  readonly user: FlowUser
  readonly idleMs: number | undefined
  /** Address that the client is told to send to; where it has come to unless given. */
  readonly ip: string | undefined
}

/** Serves the association of `near` to its end, and destroys it. Never rejects but with a mistake of ours. */
export async function associate(near: Conn, io: InboundIo, { clock }: Env, association: Association): Promise<void> {
  const { door, port, user, idleMs, ip } = association
  const client = parseAddress(near.info.remote)
  const here = parseAddress(near.info.local)
  let session: Promise<unknown> | undefined
  const begin = (packets: SocksPackets, target: Address): void => {
    unused()
    session = io
      .carryPackets(packets, { network: 'udp', target, user, ...(idleMs !== undefined && { idleMs }) })
      .then((why) => near.destroy(why))
  }
  const forget = door.expect(client?.host ?? '', port, (socket) => {
    const packets: SocksPackets = new SocksPackets(socket, (target) => begin(packets, target))
    near.onGone((why) => packets.destroy(why))
  })
  const unused = clock.after(idleMs ?? limits.udpAssociationMs, () => {
    near.destroy(new ProxyError('IDLE_TIMEOUT', 'no datagram has come for the association'))
  })
  const leave = door.onGone((why) => near.destroy(why))
  try {
    await near.write(socksReply(5, 0, { host: told(ip) ?? here?.host ?? '', port: door.address.port }))
    await near.drainTo(() => {})
  } catch {
    // However the connection ends, the association ends with it.
  } finally {
    unused()
    forget()
    leave()
    near.destroy()
  }
  await session
}

/** What no client could send to is not told. */
function told(ip: string | undefined): string | undefined {
  const host = ip === undefined ? undefined : parseHost(ip)
  return host && host.kind !== 'domain' && host.bytes.some((byte) => byte !== 0) ? ip : undefined
}

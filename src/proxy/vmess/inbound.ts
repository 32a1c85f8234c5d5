/**
 * A VMess server on one accepted connection.
 *
 * 1. Read until the request header is complete and authenticated, under the handshake deadline.
 * 2. Refused: nothing is ever written; bytes are read and thrown away until the deadline, then an ordinary close. A user
 *    whose encryption is forbidden has proved to be one, so there is nothing to hide: the connection ends at once.
 * 3. Accepted: have a stream, datagrams or a carrier of many carried. Our response header leaves with the first bytes of
 *    the answer.
 */

import { addressKey, endpointHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import { BegunPackets } from '../../core/datagrams/begun-packets.ts'
import type { KnownSockets, PacketConn } from '../../core/datagrams/packet.ts'
import type { Env } from '../../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../../core/errors.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import type { FlowUser } from '../../core/session.ts'
import { sequencedTarget, streamTarget } from '../../protocol/packetaddr/unit.ts'
import type { SeenAuths, SeenSessions } from '../../protocol/vmess/replay.ts'
import { ServerSession } from '../../protocol/vmess/server.ts'
import type { ServerRequest } from '../../protocol/vmess/server-request.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import type { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { SearchQueue } from '../../protocol/vmess/users/search-queue.ts'
import type { UserSearch } from '../../protocol/vmess/users/user-search.ts'
import type { VmessUser } from '../../settings/model.ts'
import { VmessConn } from './conn.ts'
import { PacketaddrPackets } from './encoding/packetaddr.ts'
import { StreamedUnits } from './encoding/streamed-units.ts'
import { tooLargeLog } from './packet-conn.ts'
import { requestMux } from './request-mux.ts'
import { type RequestPacketsOptions, requestPackets } from './request-packets.ts'

export interface VmessInboundDeps {
  readonly users: UserDirectory<VmessUser>
  readonly replay: SeenAuths
  readonly history: SeenSessions
  /** Where searches among many users wait for their turn. */
  readonly searches: SearchQueue
  readonly disableInsecureEncryption: boolean
  /** An account elsewhere that a user is told of in the answer to each request. */
  readonly detour?: (user: VmessUser) => SwitchAccount | undefined
  /** Client sockets that go on at another carrier; shared by all inbounds at which a user may arrive. */
  readonly associations: KnownSockets
  /** Of the inbound, for the log. */
  readonly tag: string
  readonly env: Env
}

type TooLarge = RequestPacketsOptions['tooLarge']

export function createVmessInbound(deps: VmessInboundDeps): Inbound {
  const tooLarge = tooLargeLog(deps.env, { inbound: deps.tag })
  return { serve: (conn, io) => serve(conn, io, deps, tooLarge) }
}

async function serve(conn: Conn, io: InboundIo, deps: VmessInboundDeps, tooLarge: TooLarge): Promise<void> {
  try {
    // Nothing of the handshake may be kept for as long as what it asks for lasts.
    const carried = await ask(conn, io, deps, tooLarge)
    await carried()
  } catch (error) {
    conn.destroy(error as Error)
    if (!isProxyError(error)) throw error // a mistake of ours: the instance logs it
  }
}

/** What is to be carried, as the step that carries it. */
async function ask(
  conn: Conn,
  io: InboundIo,
  deps: VmessInboundDeps,
  tooLarge: TooLarge,
): Promise<() => Promise<unknown>> {
  const { request, account } = await io.handshake(conn, () => readRequest(conn, io, deps))
  const { command, target } = request
  const user = flowUser(account)
  const switchTo = deps.detour?.(account)
  // packetaddr: every datagram says where it goes, and the first one where the flow does.
  const unitsOf = async (packets: PacketConn) => {
    const units = new BegunPackets(packets)
    const first = await io.handshake(conn, () => units.first, user.level)
    return () => io.carryPackets(units, { network: 'udp', target: first, user })
  }
  if (command === 'udp') {
    const near = requestPackets(conn, request, { switchTo, tooLarge })
    if (target.host.toLowerCase() !== sequencedTarget.host)
      return () => io.carryPackets(near, { network: 'udp', target, user })
    return unitsOf(new PacketaddrPackets(near))
  }
  const near = new VmessConn(conn, {
    sealer: request.sealer,
    opener: request.opener,
    head: request.responseHead(switchTo),
    rest: request.rest,
  })
  if (command === 'tcp' && target.host.toLowerCase() === streamTarget.host) return unitsOf(new StreamedUnits(near))
  if (command === 'tcp') return () => io.carry(near, { network: 'tcp', target, user })
  const { env, associations, users } = deps
  const userNow = () => {
    const now = users.get(user.id)
    return now && flowUser(now)
  }
  return () => requestMux(near, io, { env, associations, user: userNow })
}

const flowUser = ({ id, email, level }: VmessUser): Required<FlowUser> => ({ id, email, level })

interface Authenticated {
  readonly request: ServerRequest<VmessUser>
  /** The user as of now: a handshake takes a while, and level or e-mail may be others than at its begin. */
  readonly account: VmessUser
}

async function readRequest(conn: Conn, io: InboundIo, deps: VmessInboundDeps): Promise<Authenticated> {
  const { users, replay, history, disableInsecureEncryption, env } = deps
  const from = addressKey(endpointHost(conn.info.remote))
  const session = new ServerSession<VmessUser>({
    users,
    replay,
    history,
    clock: env.clock,
    random: env.random,
    disableInsecureEncryption,
    from,
    deferSearch: true,
  })
  let searched = false
  try {
    for (;;) {
      const bytes = await conn.read()
      if (bytes === null) throw session.end()
      let request = session.push(bytes)
      if (session.search) {
        searched = true
        await overOf(session.search, conn, from, deps)
        request = session.resume()
      }
      if (!request) continue
      if (searched) deps.searches.told(from, true)
      const account = users.get(request.user.id)
      if (account) return { request, account }
      throw new ProxyError('USER_REMOVED', 'the user was removed during the handshake')
    }
  } catch (error) {
    const reason = reasonOf(error, session.end())
    if (searched && !conn.gone) deps.searches.told(from, false)
    io.reject(conn, reason, session.user && { email: session.user.email, level: session.user.level })
    if (reason.code !== 'VMESS_INSECURE_REFUSED') await discard(conn)
    throw reason
  }
}

/** Waits until the search had its turn. Rejects when the connection is gone before that. */
function overOf(search: UserSearch, conn: Conn, from: string, { searches, users }: VmessInboundDeps): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = searches.add(search, from, users.knows(from), () => {
      forget()
      resolve()
    })
    const forget = conn.onGone((why) => {
      leave()
      reject(why)
    })
  })
}

/** What to tell: a wait that ran out may have had bytes that say what the peer took us for. */
function reasonOf(error: unknown, ended: ProxyError): ProxyError {
  return ended.code === 'VMESS_FOREIGN_PROTOCOL' ? ended : toProxyError(error, 'CONN_CLOSED')
}

/** A prober learns nothing from when or how we close: whatever it sends is read until the handshake deadline. */
async function discard(conn: Conn): Promise<void> {
  await conn.drainTo(() => {})
}

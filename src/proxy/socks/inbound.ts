/**
 * The first of the five files of the data path: a client speaks SOCKS, and comes out connected to what it asked for.
 *
 * 1. Read the request, and who asks, under the handshake deadline. Refusals are answered and end the connection.
 * 2. Have the flow carried: routed, dialled, relayed.
 * 3. When the core says so, answer with what came of it; never wait for the target's first byte, which may itself wait
 *    for the client's.
 */

import { type Address, parseAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import type { FlowUser } from '../../core/session.ts'
import { farewell } from '../../core/streams/farewell.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { SocksHandshake, type SocksRequest } from '../../protocol/socks/handshake.ts'
import { Logins } from '../../protocol/socks/logins.ts'
import { replyCodeFor, socksReply } from '../../protocol/socks/reply.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'
import { associate } from './associate.ts'

/** SOCKS 4, 4a and 5. BIND is answered as unsupported, and so is UDP ASSOCIATE unless `udp` says otherwise (associate.ts). */
export function createSocksInbound(settings: SocksInboundSettings, env: Env): Inbound {
  const logins = settings.auth === 'password' ? new Logins(settings.logins) : undefined

  const { ip, idleMs } = settings
  const idle = idleMs !== undefined && { idleMs }

  return {
    networks: settings.udp ? ['tcp', 'udp'] : ['tcp'],
    async serve(near, io) {
      const asked = await ask(near, io)
      if (!asked) return
      const { client, request } = asked
      const { version, host, port, login } = request
      const user = { email: login?.user ?? '', level: settings.level }
      if (request.command === 'associate') return udp(client, io, user, port)
      await io.carry(client, { network: 'tcp', target: { host, port }, user, ...idle }, (outcome) => {
        if (!(outcome instanceof ProxyError)) return near.write(socksReply(version, 0, boundAddress(near, outcome)))
        return farewell(client, env.clock, socksReply(version, replyCodeFor(outcome)))
      })
    },
  }

  async function udp(near: Conn, io: InboundIo, user: FlowUser, port: number): Promise<void> {
    const door = io.udpBeside(near)
    if (door) return associate(near, io, env, { door, port, user, idleMs, ip })
    const why = new ProxyError('SOCKS_COMMAND_UNSUPPORTED', 'there is no UDP beside this address')
    io.reject(near, why, user)
    await farewell(near, env.clock, socksReply(5, 7))
  }

  /** Undefined when there is nothing to carry, and the connection is done with. */
  async function ask(near: Conn, io: InboundIo): Promise<Asked | undefined> {
    try {
      const asked = await io.handshake(
        near,
        () => readRequest(near, new SocksHandshake(logins, settings.udp)),
        settings.level,
      )
      if (!asked) near.destroy()
      return asked
    } catch (error) {
      io.reject(near, toProxyError(error, 'CONN_CLOSED'))
      await farewell(near, env.clock)
      return undefined
    }
  }
}

interface Asked {
  readonly request: SocksRequest
  /** Begins with what came after the request without waiting for the reply. */
  readonly client: Conn
}

/** Drives the handshake up to the request. Undefined if the client left without a word, as port probes do. */
async function readRequest(near: Conn, handshake: SocksHandshake): Promise<Asked | undefined> {
  for (;;) {
    const bytes = await near.read()
    if (!bytes && !handshake.started) return undefined
    if (!bytes) throw new ProxyError('TRUNCATED', 'the client left during the SOCKS handshake')
    const { send, request, rest, refused } = handshake.push(bytes)
    if (send.length > 0) await near.write(send)
    if (refused) throw refused
    if (request) return { request, client: rest ? prefixed(near, rest) : near }
  }
}

/**
 * BND.ADDR: our end of the connection that was made, or of the client's where that one has no address, or none in particular
 * (a UDP socket that is bound to all).
 */
function boundAddress(near: Conn, far: Conn | undefined): Address | undefined {
  const made = far && parseAddress(far.info.local)
  if (!made || made.host === '::' || made.host === '0.0.0.0') return parseAddress(near.info.local)
  return parseHost(made.host).kind === 'domain' ? parseAddress(near.info.local) : made
}

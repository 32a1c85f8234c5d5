/**
 * The first of the five files of the data path: a client speaks SOCKS, and comes out connected to what it asked for.
 *
 * 1. Read the request, and who asks, under the handshake deadline. Refusals are answered and end the connection.
 * 2. Have the target connected. Nothing is promised to the client before that has worked or failed.
 * 3. Answer with the outcome; never wait for the target's first byte, which may itself wait for the client's.
 * 4. Carry bytes both ways until both sides are done.
 */

import { type Address, parseAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { farewell } from '../../core/farewell.ts'
import type { Inbound } from '../../core/inbound.ts'
import { prefixed } from '../../core/prefixed.ts'
import { SocksHandshake, type SocksRequest } from '../../protocol/socks/handshake.ts'
import { Logins } from '../../protocol/socks/logins.ts'
import { replyCodeFor, socksReply } from '../../protocol/socks/reply.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'

/** SOCKS 4, 4a and 5 for TCP. UDP ASSOCIATE and BIND are answered as unsupported. */
export function createSocksInbound(settings: SocksInboundSettings, env: Env): Inbound {
  const logins = settings.auth === 'password' ? new Logins(settings.logins) : undefined

  return {
    async serve(near, io) {
      let asked: Asked | undefined
      try {
        asked = await io.handshake(near, () => readRequest(near, logins), settings.level)
      } catch (error) {
        io.reject(near, toProxyError(error, 'CONN_CLOSED'))
        return farewell(near, env.clock)
      }
      if (!asked) return near.destroy()

      const { version, host, port, login } = asked.request
      const user = { email: login?.user ?? '', level: settings.level }
      let far: Conn
      try {
        far = await io.connect(near, { network: 'tcp', target: { host, port }, user })
      } catch (error) {
        const code = replyCodeFor(toProxyError(error, 'DIAL_FAILED'))
        return farewell(near, env.clock, socksReply(version, code))
      }

      try {
        await near.write(socksReply(version, 0, boundAddress(near, far)))
      } catch {
        // The client is gone. relay() meets the same, and ends the far side in order.
      }
      await io.relay(prefixed(near, asked.rest), far)
    },
  }
}

interface Asked {
  readonly request: SocksRequest
  /** What the client sent after its request without waiting for the reply. */
  readonly rest: Uint8Array
}

/** Drives the handshake up to the request. Undefined if the client left without a word, as port probes do. */
async function readRequest(near: Conn, logins: Logins | undefined): Promise<Asked | undefined> {
  const handshake = new SocksHandshake(logins)
  for (;;) {
    const bytes = await near.read()
    if (!bytes && !handshake.started) return undefined
    if (!bytes) throw new ProxyError('TRUNCATED', 'the client left during the SOCKS handshake')
    const { send, request, rest, refused } = handshake.push(bytes)
    if (send.length > 0) await near.write(send)
    if (refused) throw refused
    if (request) return { request, rest: rest ?? new Uint8Array(0) }
  }
}

/** BND.ADDR: our end of the connection that was made, or of the client's where that one has no address. */
function boundAddress(near: Conn, far: Conn): Address | undefined {
  const made = parseAddress(far.info.local)
  return made && parseHost(made.host).kind !== 'domain' ? made : parseAddress(near.info.local)
}

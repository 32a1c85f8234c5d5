import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { toProxyError } from '../../core/errors.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { BasicLogins } from '../../protocol/http/credentials.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'
import { createHttpInbound } from '../http/inbound.ts'
import { createSocksInbound } from '../socks/inbound.ts'

/** SOCKS and HTTP on one port, told apart by the first byte: 4 and 5 begin SOCKS, everything else is taken for HTTP. */
export function createMixedInbound(settings: SocksInboundSettings, env: Env): Inbound {
  const { auth, level } = settings
  const socks = createSocksInbound(settings, env)
  const logins = auth === 'password' ? new BasicLogins(settings.logins) : undefined
  const http = createHttpInbound({ logins: [], allowTransparent: false, level }, env, logins)

  return {
    ...(socks.networks && { networks: socks.networks }),
    async serve(near, io) {
      const told = await tell(near, io)
      if (!told) return near.destroy()
      await (told.isSocks ? socks : http).serve(told.client, io)
    },
  }

  /** Undefined when nothing came, or too late. The first bytes must not be kept for as long as the connection lasts. */
  async function tell(near: Conn, io: InboundIo): Promise<{ isSocks: boolean; client: Conn } | undefined> {
    try {
      const first = await io.handshake(near, () => near.read(), level)
      return first ? { isSocks: first[0] === 4 || first[0] === 5, client: prefixed(near, first) } : undefined
    } catch (error) {
      io.reject(near, toProxyError(error, 'CONN_CLOSED'))
      return undefined
    }
  }
}

import type { Env } from '../../core/env.ts'
import { toProxyError } from '../../core/errors.ts'
import type { Inbound } from '../../core/inbound.ts'
import { prefixed } from '../../core/prefixed.ts'
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
    async serve(near, io) {
      let first: Uint8Array | null
      try {
        first = await io.handshake(near, () => near.read(), level)
      } catch (error) {
        io.reject(near, toProxyError(error, 'CONN_CLOSED'))
        return near.destroy()
      }
      if (!first) return near.destroy()
      const inbound = first[0] === 4 || first[0] === 5 ? socks : http
      await inbound.serve(prefixed(near, first), io)
    },
  }
}

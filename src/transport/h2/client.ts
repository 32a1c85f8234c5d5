import type { Address } from '../../core/address.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { H2Config } from '../../settings/http2.ts'
import { failWhenRefused } from '../http2/answer.ts'
import { authorityFor } from '../http2/authority.ts'
import { SessionPool } from '../http2/pool.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { kind } from './kind.ts'

/** One request for each connection, many in one HTTP/2 session. The body may begin before the answer is there. */
export const h2Client =
  (config: H2Config, deps: UpgradeDeps) =>
  (base: Dialer): Dialer => {
    const { hosts, path, method, headers, keepAlive } = config
    const { clock, random } = deps.env
    const pool = new SessionPool(base, clock, { keepAlive })
    const hostFor = (to: Address): string =>
      hosts[hosts.length > 1 ? random.below(hosts.length) : 0] ?? authorityFor(to, deps)
    return {
      async dial(to, options) {
        const host = hostFor(to)
        const request = {
          ':method': method,
          ':scheme': 'https',
          ':authority': host,
          ':path': path,
          'accept-encoding': 'identity',
          'user-agent': 'Go-http-client/2.0',
          ...headers,
        }
        return pool.request(to, { headers: request, kind }, options, (stream) =>
          failWhenRefused(stream, { protocol: 'HTTP/2', path, host }),
        )
      },
      close: () => pool.close(),
    }
  }

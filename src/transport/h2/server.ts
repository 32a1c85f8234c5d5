import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import type { H2Config } from '../../settings/http2.ts'
import { http2Server } from '../http2/door.ts'
import type { ServerRequest } from '../http2/model.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { hostOf, pathOf } from '../upgrade/target.ts'
import { kind } from './kind.ts'

/** Takes every request below the path. The answer goes at once, before anything of the body: V2Ray waits for it. */
export function h2Server(config: H2Config, deps: UpgradeDeps): (accept: (conn: Conn) => void) => Passage {
  const { keepAlive, forwarded, headers } = config
  const answer = { ':status': 200, 'cache-control': 'no-store', ...headers }
  return (accept) =>
    http2Server({ kind, keepAlive, forwarded }, deps, (request) => {
      const reason = wrongRequest(request, config)
      if (reason) return request.deny(reason)
      request.respond(answer)
      accept(request.conn)
    })
}

function wrongRequest(
  { authority, path, method }: ServerRequest,
  { hosts, path: served, servedMethod }: H2Config,
): string | undefined {
  if (hosts.length > 0 && !hosts.some((host) => hostOf(host) === hostOf(authority)))
    return `the host here is ${hosts.join(' or ')}`
  if (!pathOf(path)?.startsWith(pathOf(served) ?? served)) return `the path here is ${served}`
  if (servedMethod !== undefined && method !== servedMethod) return `the method here is ${servedMethod}`
  return undefined
}

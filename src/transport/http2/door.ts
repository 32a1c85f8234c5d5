import type { Passage } from '../../core/dialer.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { upgradeServer } from '../upgrade/server.ts'
import type { ServerRequest } from './model.ts'
import { Http2Passage, type Http2Service } from './server.ts'

/** A server of HTTP/2 alone: whoever speaks HTTP/1 meets the web site. `serve` owns the requests. */
export const http2Server = (
  service: Pick<Http2Service, 'kind' | 'keepAlive' | 'forwarded'>,
  deps: UpgradeDeps,
  serve: (request: ServerRequest) => void,
): Passage => {
  const reason = 'it is not HTTP/2: is the transport of the client the same?'
  const rules = { judge: () => ({ reason, elsewhere: true }), forwarded: service.forwarded }
  const other = upgradeServer(rules, deps)(() => {})
  return new Http2Passage({ ...service, serve, other }, deps)
}

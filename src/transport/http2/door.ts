import type { Passage } from '../../core/dialer.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { upgradeServer } from '../upgrade/server.ts'
import type { ServerRequest } from './model.ts'
import { Http2Passage, type Http2Service } from './server.ts'

/** A server of HTTP/2 alone: whoever speaks HTTP/1 meets a web server without pages. `serve` owns the requests. */
export const http2Server = (
  service: Pick<Http2Service, 'kind' | 'keepAlive'>,
  deps: UpgradeDeps,
  serve: (request: ServerRequest) => void,
): Passage => {
  const other = upgradeServer(() => 'it is not HTTP/2: is the transport of the client the same?', deps)(() => {})
  return new Http2Passage({ ...service, serve, other }, deps)
}

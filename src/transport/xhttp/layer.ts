import type { Layer } from '../../core/dialer.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { hostOf } from '../upgrade/target.ts'
import { xhttpClient } from './client.ts'
import { xhttpServer } from './server.ts'

/** How connections begin: with requests below the path, or with HTTP/2. */
export const xhttpOpening = ({ shape, servedHost }: XhttpConfig) => ({
  kind: 'request' as const,
  paths: [shape.base],
  longer: true,
  host: hostOf(servedHost),
  http2: true,
})

/** Streams in requests of HTTP/1.1 or HTTP/2, which pass where only those do: the xhttp of Xray, SplitHTTP before. */
export const xhttpLayer = (config: XhttpConfig, deps: UpgradeDeps): Layer => ({
  name: 'xhttp',
  client: xhttpClient(config, deps),
  server: xhttpServer(config, deps),
})

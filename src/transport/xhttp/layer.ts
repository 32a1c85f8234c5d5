import type { Layer } from '../../core/dialer.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { xhttpClient } from './client.ts'
import { xhttpServer } from './server.ts'

/** Streams in requests of HTTP/1.1 or HTTP/2, which pass where only those do: the xhttp of Xray, SplitHTTP before. */
export const xhttpLayer = (config: XhttpConfig, deps: UpgradeDeps): Layer => ({
  name: 'xhttp',
  client: xhttpClient(config, deps),
  server: xhttpServer(config, deps),
})

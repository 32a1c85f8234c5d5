import type { Layer } from '../../core/dialer.ts'
import type { H2Config } from '../../settings/http2.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { h2Client } from './client.ts'
import { h2Server } from './server.ts'

/** A stream as the bodies of an HTTP/2 request and its answer, V2Ray's `http`. */
export const h2Layer = (config: H2Config, deps: UpgradeDeps): Layer => ({
  name: 'h2',
  client: h2Client(config, deps),
  server: h2Server(config, deps),
})

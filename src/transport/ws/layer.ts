import type { Layer } from '../../core/dialer.ts'
import type { WebSocketConfig } from '../../settings/upgrade.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { upgradeServer } from '../upgrade/server.ts'
import { webSocketClient } from './client.ts'
import { webSocketJudge } from './server.ts'

/** WebSocket (RFC 6455) over HTTP/1.1. */
export const webSocketLayer = (config: WebSocketConfig, deps: UpgradeDeps): Layer => ({
  name: 'ws',
  client: webSocketClient(config, deps),
  server: upgradeServer({ judge: webSocketJudge(config, deps), forwarded: config.forwarded }, deps),
})

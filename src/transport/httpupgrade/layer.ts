import type { Layer } from '../../core/dialer.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { upgradeServer } from '../upgrade/server.ts'
import { httpUpgradeClient } from './client.ts'
import { httpUpgradeJudge } from './server.ts'

/** An upgrade that looks like WebSocket, with bare bytes behind it. */
export const httpUpgradeLayer = (config: HttpUpgradeConfig, deps: UpgradeDeps): Layer => ({
  name: 'httpupgrade',
  client: httpUpgradeClient(config, deps),
  server: upgradeServer({ judge: httpUpgradeJudge(config), forwarded: config.forwarded }, deps),
})

/** `httpupgradeSettings`. */
import type { z } from 'zod'
import { escapePath } from '../../protocol/http/path.ts'
import type { Context } from '../../schema/context.ts'
import { object } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import { readUpgrade, upgradeFields } from '../upgrade/config.ts'

const schema = object(upgradeFields).describe('Settings of the httpupgrade transport.')

export const httpUpgradeForm = transportForm({
  name: 'httpupgrade',
  aliases: [],
  description: 'HTTPUpgrade: an upgrade like that to WebSocket, with bare bytes behind it',
  schema,
  settingsKeys: { httpupgradeSettings: undefined },
  readsRequests: true,
  build(input: z.output<typeof schema> | undefined = {}, context: Context): HttpUpgradeConfig {
    const { path, earlyData, ...rest } = readUpgrade(input, context)
    return { path: escapePath(path), ...rest, fastOpen: earlyData > 0 }
  },
})

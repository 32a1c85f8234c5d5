import type { UpgradeConfig } from '../../settings/upgrade.ts'
import { hostOf, pathOf } from './target.ts'

/** How connections begin that a request opens. `longer`: the path may go on with early data. */
export const requestOpening = ({ path, servedHost }: UpgradeConfig, longer = false) => ({
  kind: 'request' as const,
  paths: [pathOf(path) ?? path],
  longer,
  host: hostOf(servedHost),
})

import { type Address, formatAddress } from '../../core/address.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { valuesOf } from '../../protocol/http/headers.ts'
import type { UpgradeConfig } from '../../settings/upgrade.ts'
import type { UpgradeDeps } from './model.ts'
import type { Rejected } from './server.ts'
import { hostOf, pathOf } from './target.ts'

/** The Host header of a client: what is configured, the name that TLS asks for, or the address with an unusual port. */
export function hostFor(to: Address, { host }: UpgradeConfig, { secure, serverName }: UpgradeDeps): string {
  if (host !== '') return host
  if (secure && serverName !== '') return serverName
  const whole = formatAddress(to)
  return to.port === (secure ? 443 : 80) ? whole.slice(0, whole.lastIndexOf(':')) : whole
}

/** Why a request with another Host is not ours, whatever its port; `servedHost` `''`: any is. */
export const wrongHost = (head: RequestHead, servedHost: string): string | undefined =>
  servedHost !== '' && hostOf(valuesOf(head.headers, 'Host')[0] ?? '') !== hostOf(servedHost)
    ? `the host here is ${servedHost}`
    : undefined

/** Why a request with another Host or path is not ours; undefined: both are as they should be. */
export function wrongPlace(head: RequestHead, { path, servedHost }: UpgradeConfig): Rejected | undefined {
  const elsewhere = valuesOf(head.headers, 'Upgrade').length === 0
  const host = wrongHost(head, servedHost)
  if (host) return { reason: host, elsewhere }
  if (pathOf(head.target) !== pathOf(path)) return { reason: `the path here is ${path}`, elsewhere }
  return undefined
}

/** Of one for our path that is no upgrade as we want it. */
export const wrongRequest = (reason: string): Rejected => ({ reason, elsewhere: false })

import { type Address, formatAddress } from '../../core/address.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { valuesOf } from '../../protocol/http/headers.ts'
import type { UpgradeConfig } from '../../settings/upgrade.ts'
import type { UpgradeDeps } from './model.ts'
import { hostOf } from './target.ts'

/** The Host header of a client: what is configured, the name that TLS asks for, or the address with an unusual port. */
export function hostFor(to: Address, { host }: UpgradeConfig, { secure, serverName }: UpgradeDeps): string {
  if (host !== '') return host
  if (secure && serverName !== '') return serverName
  const whole = formatAddress(to)
  return to.port === (secure ? 443 : 80) ? whole.slice(0, whole.lastIndexOf(':')) : whole
}

/** Why the Host of a request is not ours; undefined: it is. */
export function wrongHost(head: RequestHead, served: string): string | undefined {
  if (served === '' || hostOf(valuesOf(head.headers, 'Host')[0] ?? '') === hostOf(served)) return undefined
  return `the host here is ${served}`
}

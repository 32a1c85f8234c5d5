import { type Address, formatAddress } from '../../core/address.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'

/** `:authority` of a client where none is configured: the name that TLS asks for, or the address with an unusual port. */
export function authorityFor(to: Address, { secure, serverName }: UpgradeDeps): string {
  if (secure && serverName !== '') return serverName
  const whole = formatAddress(to)
  return to.port === (secure ? 443 : 80) ? whole.slice(0, whole.lastIndexOf(':')) : whole
}

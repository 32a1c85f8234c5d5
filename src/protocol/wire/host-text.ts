/** Hosts as VMess carries them in text: domain names, and IP addresses that somebody wrote as text. */
import { formatHost, parseHost } from '../../core/address.ts'

/** What V2Ray and Xray let through; anything else they refuse after the handshake. */
const domainPattern = /^[0-9A-Za-z._-]{1,255}$/

/** Whether peers accept the name: 1 to 255 ASCII letters, digits, `-`, `.` and `_`. */
export const isCarriableDomain = (name: string): boolean => domainPattern.test(name)

/** A host in the form of Address from its bytes; undefined when it is neither a carriable name nor an IP address. */
export function readHostText(bytes: Uint8Array): string | undefined {
  const host = parseHost(String.fromCharCode(...bytes))
  return host.kind !== 'domain' || isCarriableDomain(host.name) ? formatHost(host) : undefined
}

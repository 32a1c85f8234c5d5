import { endpointHost, formatAddress, formatHost, type Host, parseAddress, parseHost } from '../core/address.ts'
import { isIn } from '../core/networks.ts'
import type { ProxyTrust } from '../settings/trust.ts'

/** The values of a header by its name, in any case of letters; for HTTP/1 and HTTP/2 alike. */
export type HeaderValues = (name: string) => readonly string[]

/**
 * Where a client is that comes by a proxy: the right-most member of X-Forwarded-For that is not a trusted proxy itself, as
 * `ip:0`. What stands further left may be forged: proxies append. Undefined: the address of the connection counts, for it
 * is not that of a trusted proxy, or the header says nothing that can be believed.
 */
export function clientBehind(remote: string, values: HeaderValues, trust: ProxyTrust): string | undefined {
  if (!isTrusted(remote, trust) && !trust.headers.some((name) => values(name).length > 0)) return undefined
  let found: string | undefined
  for (const member of values('X-Forwarded-For').join(',').split(',').reverse()) {
    const host = hostIn(member.trim())
    if (!host) break
    found = formatAddress({ host: formatHost(host), port: 0 })
    if (!trust.networks.some((network) => isIn(host, network))) break
  }
  return found
}

function isTrusted(remote: string, { networks, unix }: ProxyTrust): boolean {
  const host = endpointHost(remote)
  if (host === 'unix' || remote.startsWith('unix:')) return unix
  const parsed = parseHost(host)
  return networks.some((network) => isIn(parsed, network))
}

/** An IP address, in brackets or not, with or without a port. */
function hostIn(member: string): Host | undefined {
  for (const text of [member, parseAddress(member)?.host ?? '']) {
    const host = parseHost(text)
    if (host.kind !== 'domain') return host
  }
  return undefined
}

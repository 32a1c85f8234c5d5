/** How the name of a host becomes an address before it is dialled, in the words of V2Ray and Xray. */

import { ProxyError } from './errors.ts'
import type { Resolve } from './ground.ts'
import type { Lifetime } from './lifetime.ts'

/** In the order of the numbers that Xray gives them in its messages; V2Ray has the first four. */
export const domainStrategies = [
  'AsIs',
  'UseIP',
  'UseIPv4',
  'UseIPv6',
  'UseIPv4v6',
  'UseIPv6v4',
  'ForceIP',
  'ForceIPv4',
  'ForceIPv6',
  'ForceIPv4v6',
  'ForceIPv6v4',
] as const

export type DomainStrategy = (typeof domainStrategies)[number]

/** Families to ask for in turn, the first that has an address wins. */
const families: Readonly<Record<DomainStrategy, readonly (0 | 4 | 6)[]>> = {
  AsIs: [],
  UseIP: [0],
  UseIPv4: [4],
  UseIPv6: [6],
  UseIPv4v6: [4, 6],
  UseIPv6v4: [6, 4],
  ForceIP: [0],
  ForceIPv4: [4],
  ForceIPv6: [6],
  ForceIPv4v6: [4, 6],
  ForceIPv6v4: [6, 4],
}

/**
 * The addresses of `host` that a strategy allows; none: the name is to be used as it is, because the strategy says so or
 * because a `UseIP` one has found nothing. Rejects with DNS_FAILED where a `ForceIP` one has, or with why `until` is over.
 */
export async function addressesBy(
  strategy: DomainStrategy,
  host: string,
  resolve: Resolve,
  until: Lifetime,
): Promise<readonly string[]> {
  let cause: unknown
  for (const family of families[strategy]) {
    try {
      const found = await resolve(host, family, until)
      if (found.length > 0) return found
    } catch (error) {
      if (until.gone) throw until.gone
      cause = error
    }
  }
  if (!strategy.startsWith('Force')) return []
  const why = cause instanceof ProxyError ? `: ${cause.message}` : ''
  throw new ProxyError('DNS_FAILED', `${host} has no address that ${strategy} allows${why}`, { cause })
}

/**
 * The same for who asks for one family at a time, and for names that are to be used as they are: with no restriction then.
 * @param names what a strategy asks
 */
export const resolveBy = (strategy: DomainStrategy, resolve: Resolve, names: Resolve = resolve): Resolve =>
  strategy === 'AsIs'
    ? resolve
    : async (host, family, until) => {
        const allowed = await addressesBy(strategy, host, names, until)
        if (allowed.length === 0) return resolve(host, family, until)
        return allowed.filter((address) => family === 0 || (address.includes(':') ? 6 : 4) === family)
      }

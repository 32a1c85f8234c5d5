import type { DnsConfig } from '../../settings/dns.ts'
import type { ConfiguredServer } from './server.ts'

/**
 * Who is asked for a name, one after the other: servers whose own name it is, then the others, both in the order of the
 * configuration. Of nobody the first: a configuration that leaves none means something else.
 */
export function serversFor(
  name: string,
  servers: readonly ConfiguredServer[],
  { disableFallback, disableFallbackIfMatch }: Pick<DnsConfig, 'disableFallback' | 'disableFallbackIfMatch'>,
  fake: boolean,
): readonly ConfiguredServer[] {
  const able = fake ? servers : servers.filter(({ config }) => config.kind !== 'fakedns')
  const own = able.filter((server) => server.matches(name))
  const fallback =
    disableFallback || (disableFallbackIfMatch && own.length > 0)
      ? []
      : able.filter((server) => !own.includes(server) && !server.config.skipFallback)
  const order = [...own, ...fallback]
  if (order.length === 0) return able.slice(0, 1)
  const final = order.findIndex(({ config }) => config.finalQuery)
  return final < 0 ? order : order.slice(0, final + 1)
}

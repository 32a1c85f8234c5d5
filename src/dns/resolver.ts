/**
 * Addresses of host names, without a thread: hosts file, `localhost`, search list and name servers as the system's own
 * library has them, and that library itself only for names that it alone can know.
 */

import type { PacketDialer } from '../core/datagrams/packet.ts'
import type { Dialer } from '../core/dialer.ts'
import type { Clock, Random } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Resolve } from '../core/ground.ts'
import type { Lifetime } from '../core/lifetime.ts'
import type { RecordType } from './answer.ts'
import {
  candidates,
  type HostName,
  isLiteral,
  isLocalhost,
  isNowhere,
  loopbackAddresses,
  ofFamily,
  readHostName,
} from './host-name.ts'
import type { ResolvConf } from './resolv-conf.ts'
import { ServerList } from './server-list.ts'
import { type SystemFiles, type SystemNames, systemNames } from './system-names.ts'
import { inTurn } from './turns.ts'
import { UdpServer } from './udp-server.ts'
import { type Found, Upstream } from './upstream.ts'

type Family = 0 | 4 | 6

export interface ResolverDeps {
  /** Carry the queries; the TCP dialer is given IP addresses only. */
  readonly udp: PacketDialer
  readonly tcp: Dialer
  readonly clock: Clock
  readonly random: Random
  /** The system's settings as they are now: the same object while nothing has changed. Asked with every look-up. */
  readonly files: () => SystemFiles
  /** The system's resolver, which may hang as long as `until` lasts. Called for one name at a time. */
  readonly system: Resolve
}

/** A Resolve that rejects with DNS_FAILED for names that do not exist; with `family` 0 also for those without any address. */
export function createResolver(deps: ResolverDeps): Resolve {
  const names = systemNames(deps.files)
  const upstreamOf = upstreams(deps)
  const system = inTurn(deps.system, deps.clock)

  return async (host, family, until) => {
    if (until.gone) throw until.gone
    if (isLiteral(host)) return ofFamily([host], family)
    const name = readHostName(host)
    if (!name) throw new ProxyError('DNS_FAILED', `${JSON.stringify(host)} is no host name`)
    const now = names()
    const own = now.hosts.get(name.text)
    if (isLocalhost(name)) return ofFamily(loopbackAddresses(own), family)
    if (own) return ofFamily(own, family)
    if (now.sources.first(name)) return system(name.text, family, until)
    const found = await search(name, family, now, upstreamOf(now.conf), until)
    if (found.addresses.length === 0 && now.sources.last(name) && !isNowhere(name.text)) {
      return system(name.text, family, until)
    }
    if (found.addresses.length > 0 || (found.exists && family !== 0)) return found.addresses
    throw new ProxyError('DNS_FAILED', found.exists ? `${name.text} has no address` : `there is no host ${name.text}`)
  }
}

/** The name servers of a resolv.conf, with their cache: both anew when it has changed, which is when networks change. */
function upstreams({ udp, tcp, clock, random }: ResolverDeps): (conf: ResolvConf) => Upstream {
  let last: { readonly conf: ResolvConf; readonly upstream: Upstream } | undefined
  return (conf) => {
    if (last?.conf !== conf) {
      const servers = conf.servers.map((address) => new UdpServer(address, { udp, tcp, clock, random }, conf))
      last = { conf, upstream: new Upstream(new ServerList(servers, conf, clock), clock) }
    }
    return last.upstream
  }
}

/**
 * The first name of the search list that has addresses; of one family, also the first that has some of the other: both
 * families of a host are to be those of one name. A search domain whose server fails is passed over. The failure of the
 * name as it was written is the end: what a longer name leads to would be another host.
 */
async function search(
  name: HostName,
  family: Family,
  { conf }: SystemNames,
  upstream: Upstream,
  until: Lifetime,
): Promise<Found> {
  const list = candidates(name, conf)
  let exists = false
  let failure: unknown
  for (const candidate of list) {
    try {
      const found = await upstream.addresses(candidate, typesOf(family, conf), until)
      if (found.addresses.length > 0) return found
      exists ||= found.exists
      if (!found.exists || family === 0 || list.length === 1) continue
      const other = await upstream.addresses(candidate, typesOf(family === 4 ? 6 : 4, conf), until)
      if (other.addresses.length > 0) return found
    } catch (error) {
      if (until.gone) throw until.gone
      if (candidate === name.text) throw error
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return { addresses: [], exists }
}

function typesOf(family: Family, { noIPv6 }: ResolvConf): RecordType[] {
  const types: RecordType[] = []
  if (family !== 4 && !noIPv6) types.push('AAAA')
  if (family !== 6) types.push('A')
  return types
}

/** The names of an instance: as its configuration has them, or as the system does. */

import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, NameService, RecordType } from '../../core/name-service.ts'
import { AskedServer } from '../../dns/client/asked-server.ts'
import { DnsClient } from '../../dns/client/client.ts'
import { FixedNames } from '../../dns/client/fixed.ts'
import { isSystemName } from '../../dns/client/local-names.ts'
import type { MatchAddress, MatchName, RankNames } from '../../dns/client/matchers.ts'
import { Remembered } from '../../dns/client/remembered.ts'
import { ConfiguredServer } from '../../dns/client/server.ts'
import type { NameSource } from '../../dns/client/source.ts'
import { systemNames, systemSource } from '../../dns/client/system.ts'
import { FakeNames } from '../../dns/fake/fake-names.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import type { Config, DnsConfig, DnsServerConfig, FakePoolConfig } from '../../settings/model.ts'
import { same } from '../reload/config-diff.ts'
import { DohServer } from './doh-server.ts'
import { type RoutedDeps, routedWays } from './routed-ground.ts'

/** The language of rules, as the router knows it. */
export interface RuleLanguage {
  /** A plain word is a part of a name. */
  names(rules: readonly string[]): MatchName
  /** A plain word is a whole name. */
  rank(rules: readonly string[]): RankNames
  addresses(rules: readonly string[]): MatchAddress
}

export interface NamesDeps extends RoutedDeps {
  readonly env: Env
  /** As the system does. */
  readonly resolve: Resolve
  /** What does not pass the router. */
  readonly ground: () => Ground
  readonly rules: RuleLanguage
  /** Types of which this machine has addresses. */
  readonly reachable: () => readonly RecordType[]
  /** Addresses in the hosts file. */
  readonly hosts: (name: string) => readonly string[]
}

type Parts = Pick<Config, 'dns' | 'fakePools'>

export class Names implements NameService {
  readonly #deps: NamesDeps
  #config: DnsConfig | undefined
  #service: NameService
  #fake: FakeNames | undefined

  constructor(config: Parts, deps: NamesDeps) {
    this.#deps = deps
    this.#service = systemNames(deps.resolve)
    this.adopt(config)
  }

  /** Another configuration. What is remembered stays where nothing has changed, and made-up addresses keep their names. */
  adopt({ dns, fakePools }: Parts): void {
    const pools = this.#fake?.pools ?? []
    const kept = same(pools, fakePools)
    if (!kept) this.#fake = fakePools.length > 0 ? new FakeNames(fakePools as readonly FakePoolConfig[]) : undefined
    if (kept && same(this.#config, dns)) return
    this.#config = dns
    this.#service = dns ? build(dns, this.#fake, this.#deps) : systemNames(this.#deps.resolve)
  }

  /** Whether it has names of its own. */
  get configured(): boolean {
    return this.#config !== undefined
  }

  lookup(name: string, types: readonly RecordType[], until: Lifetime, fake = false): Promise<NameAnswer> {
    return this.#service.lookup(name, types, until, fake)
  }

  /** The name behind a made-up address; `''` for one that nobody was given; undefined for a real one. */
  fakeName(address: string): string | undefined {
    return this.#fake?.nameOf(address)
  }

  /** For those who ask with a family, as the system's resolver is asked. */
  readonly resolve: Resolve = async (host, family, until) => {
    const types: RecordType[] = family === 0 ? ['AAAA', 'A'] : [family === 4 ? 'A' : 'AAAA']
    const { addresses } = await this.lookup(host, types, until)
    if (addresses.length === 0 && family === 0) throw new ProxyError('DNS_FAILED', `${host} has no address`)
    return addresses
  }
}

function build(config: DnsConfig, fake: FakeNames | undefined, deps: NamesDeps): DnsClient {
  const { env, rules, hosts, reachable } = deps
  return new DnsClient({
    config,
    fixed: new FixedNames(config.hosts, rules.rank(config.hosts.map(({ rule }) => rule))),
    system: config.useSystemHosts ? hosts : undefined,
    servers: config.servers.map(
      (server) =>
        new ConfiguredServer(server, sourceOf(server, fake, deps), rulesOf(server, rules), {
          clock: env.clock,
          reachable,
        }),
    ),
    reachable,
  })
}

function rulesOf({ kind, domains, expectedIps, unexpectedIps }: DnsServerConfig, rules: RuleLanguage) {
  const named = domains.length > 0 ? rules.names(domains) : () => false
  const addresses = (list: readonly string[]): MatchAddress | undefined => {
    const plain = list.filter((rule) => rule !== '*')
    return plain.length > 0 ? rules.addresses(plain) : undefined
  }
  return {
    matches: kind === 'localhost' ? (name: string) => isSystemName(name) || named(name) : named,
    expected: addresses(expectedIps),
    unexpected: addresses(unexpectedIps),
  }
}

function sourceOf(server: DnsServerConfig, fake: FakeNames | undefined, deps: NamesDeps): NameSource {
  const { env, resolve } = deps
  const { kind, clientIp, disableCache, serveStale, serveExpiredTtlS } = server
  if (kind === 'localhost') return systemSource(resolve)
  if (kind === 'fakedns') return fake ?? new FakeNames([])
  const ways = waysOf(server, deps)
  const source =
    kind === 'udp' || kind === 'tcp'
      ? new AskedServer(server.address, { ...ways, random: env.random }, { stream: kind === 'tcp', subnet: clientIp })
      : dohServer(server, ways.tcp)
  const staleMs = serveExpiredTtlS === 0 ? Number.POSITIVE_INFINITY : serveExpiredTtlS * 1000
  return new Remembered(source, env.clock, { disabled: disableCache, stale: serveStale, staleMs })
}

/** To the server: through the router, or straight. */
function waysOf(server: DnsServerConfig, deps: NamesDeps): { readonly tcp: Dialer; readonly udp: PacketDialer } {
  if (!server.local) {
    return routedWays({ inboundTag: server.tag, protocol: server.kind === 'https' ? 'https' : 'dns' }, deps)
  }
  const { env, resolve, ground } = deps
  const { tcp, udp } = ground()
  return { tcp: happyEyeballs(tcp, { resolve, clock: env.clock, log: env.log }), udp }
}

function dohServer({ kind, address, path, clientIp }: DnsServerConfig, tcp: Dialer): DohServer {
  const secure = kind === 'https'
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  const authority = address.port === (secure ? 443 : 80) ? host : `${host}:${address.port}`
  return new DohServer({ dialer: tcp, address, authority, secure, path: path || '/dns-query', subnet: clientIp })
}

/** The names of an instance: as its configuration has them, or as the system does. */

import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, NameService, RecordType } from '../../core/name-service.ts'
import { AskedServer } from '../../dns/client/asked-server.ts'
import { DnsClient } from '../../dns/client/client.ts'
import { FixedNames } from '../../dns/client/fixed.ts'
import { isSystemName } from '../../dns/client/local-names.ts'
import { Remembered } from '../../dns/client/remembered.ts'
import { ConfiguredServer } from '../../dns/client/server.ts'
import type { NameSource } from '../../dns/client/source.ts'
import { systemNames, systemSource } from '../../dns/client/system.ts'
import { FakeNames } from '../../dns/fake/fake-names.ts'
import { happyEyeballs } from '../../net/names/happy-eyeballs.ts'
import type { FindFile } from '../../routing/geo/lists.ts'
import type { Config, DnsConfig, DnsServerConfig } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import { DohServer } from './doh-server.ts'
import { type RoutedDeps, routedWays } from './routed-ground.ts'
import { type RuleLanguage, withRules } from './rule-language.ts'

export interface NamesDeps extends RoutedDeps {
  readonly env: Env
  /** As the system does. */
  readonly resolve: Resolve
  /** What does not pass the router. */
  readonly ground: () => Ground
  readonly findAsset?: FindFile | undefined
  /** Types of which this machine has addresses. */
  readonly reachable: () => readonly RecordType[]
  /** Addresses in the hosts file. */
  readonly hosts: (name: string) => readonly string[]
}

type Parts = Pick<Config, 'dns' | 'fakePools'>

/** Names of another configuration, which are not in force yet. */
export interface PreparedNames {
  readonly config: DnsConfig | undefined
  readonly service: NameService
  readonly fake: FakeNames | undefined
}

export class Names implements NameService {
  readonly #deps: NamesDeps
  #now: PreparedNames

  /** @throws ConfigError for a list that is not there */
  constructor(config: Parts, deps: NamesDeps) {
    this.#deps = deps
    this.#now = { config: undefined, service: systemNames(deps.resolve), fake: undefined }
    this.adopt(this.prepare(config))
  }

  /**
   * What is remembered stays where nothing has changed, and made-up addresses keep their names.
   *
   * @throws ConfigError for a list that is not there
   */
  prepare({ dns, fakePools }: Parts): PreparedNames {
    const before = this.#now
    const sameFake = same(before.fake?.pools ?? [], fakePools)
    if (sameFake && same(before.config, dns)) return before
    const fake = sameFake ? before.fake : fakePools.length > 0 ? new FakeNames(fakePools) : undefined
    return { config: dns, service: dns ? this.#build(dns, fake) : systemNames(this.#deps.resolve), fake }
  }

  adopt(prepared: PreparedNames): void {
    this.#now = prepared
  }

  /** Whether it has names of its own. */
  get configured(): boolean {
    return this.#now.config !== undefined
  }

  lookup(name: string, types: readonly RecordType[], until: Lifetime, fake = false): Promise<NameAnswer> {
    return this.#now.service.lookup(name, types, until, fake)
  }

  /** Whether it gives made-up addresses. */
  get makesUp(): boolean {
    return this.#now.fake !== undefined
  }

  /** The name behind a made-up address; `''` for one that nobody was given; undefined for a real one. */
  fakeName(address: string): string | undefined {
    return this.#now.fake?.nameOf(address)
  }

  #build(config: DnsConfig, fake: FakeNames | undefined): DnsClient {
    const { env, hosts, reachable, findAsset } = this.#deps
    return withRules({ findAsset }, (rules) => {
      const servers = config.servers.map(
        (server) =>
          new ConfiguredServer(server, sourceOf(server, fake, this.#deps), rulesOf(server, rules), {
            clock: env.clock,
            reachable,
          }),
      )
      const fixed = new FixedNames(config.hosts, rules.rank(config.hosts.map(({ rule }) => rule)))
      return new DnsClient({ config, fixed, system: config.useSystemHosts ? hosts : undefined, servers, reachable })
    })
  }
}

function rulesOf({ kind, domains, expected, unexpected }: DnsServerConfig, rules: RuleLanguage) {
  const named = domains.length > 0 ? rules.names(domains) : () => false
  return {
    matches: kind === 'localhost' ? (name: string) => isSystemName(name) || named(name) : named,
    expected: expected && rules.addresses(expected.rules),
    unexpected: unexpected && rules.addresses(unexpected.rules),
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
      ? new AskedServer(
          server.address,
          { ...ways, random: env.random },
          {
            stream: kind === 'tcp',
            subnet: clientIp,
            routed: !server.local,
          },
        )
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

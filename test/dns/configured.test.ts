/** What the DNS of a configuration asks and answers, by recorded scenarios of three peers (test/vectors/dns.json says which). */
import dnsPacket from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { Names } from '../../src/app/dns/names.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Outbound } from '../../src/core/dialer.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { type Asked, fakeNameServers, type Said } from '../../src/testing/fake-name-server.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import vectors from '../vectors/dns.json' with { type: 'json' }

type Zone = Readonly<Record<string, Record_>>
interface Record_ {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  readonly CNAME?: string
  readonly ttl?: number
  readonly rcode?: number
  readonly drop?: boolean
  readonly tc?: boolean
}
interface Step {
  readonly query?: string
  readonly type?: string
  readonly sleep?: number
}
interface Seen {
  readonly asked: readonly string[]
  readonly edns?: readonly string[]
  readonly result?:
    | 'no answer'
    | { readonly rcode: number; readonly answers: readonly string[]; readonly ttl: readonly number[] }
}
interface Case {
  readonly name: string
  readonly dns: object
  readonly fakedns?: object
  readonly zones: readonly Zone[]
  readonly steps: readonly Step[]
  readonly xr: { readonly steps?: readonly Seen[]; readonly error?: string }
  readonly [key: string]: unknown
}

/** Those that need nothing but the DNS itself: no rules, outbounds, lists in files or system. */
const others = ['rules', 'ds', 'freedom', 'dnsOut', 'sniff']
const left = (one: Case): boolean =>
  one.dns !== null &&
  !others.some((key) => key in one) &&
  !/geosite|"localhost"|useSystemHosts/.test(JSON.stringify(one.dns)) &&
  one.steps.every(({ query, type, sleep }) => (query !== undefined && /^A/.test(type!)) || sleep !== undefined)

const cases = (vectors.cases as unknown as readonly Case[]).filter(left)

/** Where ours differs from Xray's column, each with the reason. */
const differs: Readonly<Record<string, string>> = {
  'truncated over UDP': 'spec 7.10: asked again over TCP, where it fits',
  'address with port in string': 'spec 7.2: accepted, with a warning',
  'udp:// server': 'spec 7.2: refused',
  'fakedns poolSize too big': 'refused by the loader',
  'server as string, port 53 default (no answer here)': 'the fake servers answer on every port',
  'fakedns A': 'ours begins at the base of the pool',
  'fakedns pool v4 only': 'ours begins at the base of the pool',
  'fakedns both pools': 'ours begins at the base of the pool',
  'fakedns + real server, domain priority': 'ours begins at the base of the pool',
  'fakedns pool of 2, three names': 'ours begins at the base of the pool',
}

/** Each server of a case has an address of its own. */
const placed = (dns: object): object =>
  JSON.parse(
    JSON.stringify(dns)
      .replaceAll(/"127\.0\.0\.1", ?"port": ?"S(\d)"/g, '"127.0.1.$1"')
      .replaceAll(/127\.0\.0\.1:S(\d)/g, '127.0.1.$1'),
  )

function said({ server, name, type, carrier }: Asked, zones: readonly Zone[]): Said | undefined {
  const zone = zones[Number(server.split('.')[3]) - 1] ?? {}
  const found = zone[name] ?? zone[name.toLowerCase()] ?? zone['*']
  if (!found) return { rcode: 3 }
  if (found.drop) return undefined
  if (found.rcode) return { rcode: found.rcode }
  if (found.tc && carrier === 'udp') return { flags: dnsPacket.TRUNCATED_RESPONSE }
  const ttl = found.ttl ?? 300
  const alias = found.CNAME ? [{ type: 'CNAME' as const, name, ttl, data: found.CNAME }] : []
  const addresses = (found[type as 'A' | 'AAAA'] ?? []).map((data) => ({
    type: type as 'A' | 'AAAA',
    name: found.CNAME ?? name,
    ttl,
    data,
  }))
  return { answers: [...alias, ...addresses] }
}

const inbounds = [
  { protocol: 'socks', listen: '127.0.0.1', port: 1080, sniffing: { enabled: true, destOverride: ['fakedns'] } },
]

/** Runs a case; what was asked and answered at each step. */
async function run(one: Case): Promise<Seen[]> {
  const { config, problems } = loadConfigValue({
    inbounds,
    outbounds: [{ protocol: 'freedom' }],
    dns: placed(one.dns),
    ...(one.fakedns && { fakedns: one.fakedns }),
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  const clock = fakeClock(1_700_000_000_000)
  const servers = fakeNameServers((asked) => said(asked, one.zones))
  const outbound = { tag: 'direct', dial: servers.tcp.dial, packets: servers.udp, close: async () => {} } as Outbound
  const names = new Names(config, {
    env: { clock, random: fakeRandom(1), log: silentLogger },
    clock,
    nextId: () => 1,
    route: () => outbound,
    observer: { routed() {} },
    resolve: async () => [],
    ground: () => ({ tcp: servers.tcp, udp: servers.udp, resolve: async () => [], isOwn: () => false }),
    reachable: () => ['A', 'AAAA'],
    hosts: () => [],
  })
  const seen: Seen[] = []
  for (const { query, type, sleep } of one.steps) {
    const before = servers.asked.length
    if (sleep) clock.advance(sleep)
    let over = false
    const answer = query
      ? names
          .lookup(query, [type as 'A'], forever, true)
          .then(({ rcode, addresses, ttlS }) => ({
            rcode,
            answers: addresses,
            ttl: addresses.length > 0 ? [ttlS] : [],
          }))
          .catch(() => 'no answer' as const)
          .finally(() => {
            over = true
          })
      : undefined
    for (let i = 0; answer && !over; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      // Servers that say nothing are given up.
      if (i > 10) clock.advance(4_000)
    }
    const asked = servers.asked.slice(before)
    const edns = asked.map(({ additional }) => additional).filter((hex) => hex !== '')
    seen.push({
      asked: asked.map(
        (each) => `S${each.server.split('.')[3]}${each.carrier === 'tcp' ? ' tcp' : ''} ${each.name}. ${each.type}`,
      ),
      ...(edns.length > 0 && { edns }),
      ...(answer && { result: await answer }),
    })
  }
  return seen
}

/** Addresses of IPv6 are recorded in their longest form. */
const short = (address: string): string =>
  address.length === 39 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

const wanted = ({ xr }: Case) =>
  xr.steps!.map(({ asked = [], edns, result }) => ({
    asked,
    ...(edns && { edns }),
    ...(result && {
      result:
        result === 'no answer'
          ? result
          : { rcode: result.rcode, answers: result.answers.map(short), ttl: result.ttl.slice(0, 1) },
    }),
  }))

describe('recorded scenarios', () => {
  test.each(cases.filter(({ name }) => !differs[name]).map((one) => [one.name, one] as const))('%s', async (_, one) => {
    expect(await run(one)).toEqual(wanted(one))
  })

  test('every exception names a case', () => {
    const names = new Set((vectors.cases as unknown as readonly Case[]).map(({ name }) => name))
    expect(Object.keys(differs).filter((name) => !names.has(name))).toEqual([])
  })
})

const named = (name: string): Case => cases.find((one) => one.name === name)!

const first = ({ result }: Seen): string | undefined => (typeof result === 'object' ? result.answers[0] : undefined)

describe('where ours differs', () => {
  test('a truncated answer is fetched over TCP', async () => {
    expect(await run(named('truncated over UDP'))).toEqual([
      { asked: ['S1 a.test. A', 'S1 tcp a.test. A'], result: { rcode: 0, answers: ['192.0.2.5'], ttl: [300] } },
    ])
  })

  test('made-up addresses begin at the base, and a pool that is full forgets the name used longest ago', async () => {
    const pool = await run(named('fakedns pool of 2, three names'))
    expect(pool.map(first)).toEqual(['198.18.4.0', '198.18.4.1', '198.18.4.2', '198.18.4.3'])
    const both = await run(named('fakedns A'))
    expect(both.map(first)).toEqual(['198.18.0.0', '198.18.0.0', '198.18.0.1', 'fc00::'])
    expect(both[0]!.result).toMatchObject({ ttl: [1] })
    const four = await run(named('fakedns pool v4 only'))
    expect(four[1]!.result).toEqual({ rcode: 0, answers: [], ttl: [] })
  })

  test.each(['udp:// server', 'fakedns poolSize too big'])('%s is refused', async (name) => {
    const { config } = loadConfigValue({
      inbounds: [],
      outbounds: [{ protocol: 'freedom' }],
      dns: placed(named(name).dns),
      fakedns: named(name).fakedns ?? [],
    })
    expect(config).toBeUndefined()
  })
})

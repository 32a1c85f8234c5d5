/**
 * Generated rule sets, and V2Ray 4.34's answers to them as they differ from ours: where names are compared letter by
 * letter, where a search among overlapping blocks stops too early, and where a rule leads to an outbound that is not there.
 */
import fc from 'fast-check'
import { ipOf } from '../../src/routing/addresses.ts'

export interface GeneratedRule {
  readonly domain?: readonly string[]
  readonly ip?: readonly string[]
  readonly port?: string
  readonly outboundTag: string
}

export interface Request {
  readonly host: string
  readonly port: number
}

export interface RuleSet {
  readonly rules: readonly GeneratedRule[]
  readonly requests: readonly Request[]
}

/** Every name that requests ask for, with its address. */
export const hosts: Readonly<Record<string, string>> = {
  'a.test': '10.1.2.3',
  'b.a.test': '10.2.0.1',
  'xa.test': '10.2.0.200',
  'c.org': '192.168.7.7',
  'www.c.org': '172.20.0.9',
  'long.name.c.org': '10.1.0.1',
  'd-1.net': '11.0.0.1',
}
const names = Object.keys(hosts)
const blocks = [
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.2.0.0/25',
  '10.2.0.1',
  '192.168.0.0/16',
  '172.16.0.0/12',
  '0.0.0.0/1',
]
const addresses = [
  '10.1.2.3',
  '10.1.9.9',
  '10.2.0.1',
  '10.2.0.200',
  '10.200.0.1',
  '192.168.7.7',
  '172.20.0.9',
  '9.9.9.9',
]
const parts = ['test', 'org', 'net', 'a', 'c', '1']

const domain = (upper: boolean) => {
  const name = fc.constantFrom(...names)
  const plain = fc.oneof(
    name.map((text) => `full:${text}`),
    name.map((text) => `domain:${text}`),
    fc.constantFrom(...parts).map((text) => `domain:${text}`),
    fc.constantFrom(...parts).map((text) => `keyword:${text}`),
    fc.constantFrom('regexp:^[a-c]\\.', 'regexp:\\d', 'regexp:(org|net)$', 'regexp:^.{6}$', 'dotless:', 'a.t', '.c.'),
  )
  if (!upper) return plain
  const some = plain.map((text) =>
    /^(?:full|domain|keyword):/.test(text) ? text.replace(/[ac]$/, (c) => c.toUpperCase()) : text,
  )
  return fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: some })
}

const rule = (upper: boolean): fc.Arbitrary<GeneratedRule> =>
  fc
    .record(
      {
        domain: fc.array(domain(upper), { minLength: 1, maxLength: 3 }),
        ip: fc.array(fc.constantFrom(...blocks), { minLength: 1, maxLength: 4 }),
        port: fc.constantFrom('80', '443', '1-100', '80,8000-9000', '444-65535'),
        outboundTag: fc.oneof(
          { weight: 40, arbitrary: fc.constantFrom('A', 'B', 'C') },
          { weight: 1, arbitrary: fc.constant('gone') },
        ),
      },
      { requiredKeys: ['outboundTag'] },
    )
    .filter(({ domain, ip, port }) => domain !== undefined || ip !== undefined || port !== undefined)

/** @param upper with upper case: only where no name is resolved, because V2Ray's hosts know no case either */
export const ruleSets = (upper: boolean): fc.Arbitrary<RuleSet> =>
  fc.record({
    rules: fc.array(rule(upper), { minLength: 1, maxLength: 6 }),
    requests: fc.array(
      fc.record({
        host: fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...names) },
          { weight: 5, arbitrary: fc.constantFrom(...addresses) },
          ...(upper ? [{ weight: 1, arbitrary: fc.constantFrom(...names).map((name) => name.toUpperCase()) }] : []),
        ),
        port: fc.constantFrom(80, 443, 8080, 50),
      }),
      { minLength: 4, maxLength: 4 },
    ),
  })

export type Strategy = 'AsIs' | 'IPIfNonMatch' | 'IPOnDemand'

/** Sections of the specification in which V2Ray 4.34 does something else. */
export const sections = ['2.3 target', '3.2 letter case', '4.1 overlapping networks'] as const
export type Section = (typeof sections)[number]

/** What V2Ray 4.34 does, as far as `quirks` go; without any, what ours is to do. */
export function model(set: RuleSet, { host, port }: Request, strategy: Strategy, quirks: ReadonlySet<Section>): string {
  const literal = ipOf(host)
  const resolved = literal === undefined ? ipOf(hosts[host] ?? '') : literal
  const pass = (withIps: boolean): string | undefined => {
    const ip = literal ?? (withIps ? resolved : undefined)
    return set.rules.find(
      (rule) =>
        (rule.port === undefined || portIn(rule.port, port)) &&
        (rule.domain === undefined ||
          (literal === undefined && rule.domain.some((text) => nameIn(text, host, quirks.has('3.2 letter case'))))) &&
        (rule.ip === undefined ||
          (typeof ip === 'number' && ipIn(rule.ip, ip, quirks.has('4.1 overlapping networks')))),
    )?.outboundTag
  }
  const tag = pass(strategy === 'IPOnDemand') ?? (strategy === 'IPIfNonMatch' ? pass(true) : undefined) ?? 'D'
  return tag === 'gone' ? (quirks.has('2.3 target') ? 'D' : 'closed') : tag
}

const portIn = (text: string, port: number): boolean =>
  text.split(',').some((range) => {
    const [from = '', to = from] = range.split('-')
    return port >= Number(from) && port <= Number(to)
  })

function nameIn(text: string, host: string, exact: boolean): boolean {
  const [, prefix = 'keyword', rest = text] = /^(full|domain|keyword|regexp|dotless):(.*)$/.exec(text) ?? []
  const name = exact ? host : host.toLowerCase()
  const value = exact || prefix === 'regexp' ? rest : rest.toLowerCase()
  if (prefix === 'full') return name === value
  if (prefix === 'domain') return name === value || name.endsWith(`.${value}`)
  if (prefix === 'dotless') return !name.includes('.')
  return prefix === 'regexp' ? new RegExp(value).test(name) : name.includes(value)
}

interface Block {
  readonly base: number
  readonly prefix: number
}

const blockOf = (text: string): Block => {
  const [ip = '', prefix = '32'] = text.split('/')
  return { base: ipOf(ip) as number, prefix: Number(prefix) }
}
const cut = (ip: number, prefix: number): number => Math.floor(ip / 2 ** (32 - prefix)) * 2 ** (32 - prefix)
const holds = ({ base, prefix }: Block, ip: number): boolean => cut(ip, prefix) === base

/** V2Ray 4 looks for an address by halving among blocks, as if none lay inside another. */
function ipIn(texts: readonly string[], ip: number, halving: boolean): boolean {
  const list = texts.map(blockOf)
  if (!halving) return list.some((block) => holds(block, ip))
  list.sort((a, b) => a.base - b.base || a.prefix - b.prefix)
  if (ip < list[0]!.base) return false
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const block = list[middle]!
    if (ip < block.base) high = middle
    else if (holds(block, ip)) return true
    else low = middle + 1
  }
  return low > 0 && holds(list[low - 1]!, ip)
}

/** `dns`. */
import { z } from 'zod'
import { formatHost, parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import {
  flag,
  integer,
  mapOf,
  noted,
  object,
  openWord,
  port,
  stringList,
  text,
  withoutEffect,
} from '../../schema/fields.ts'
import { readIpRule } from '../../schema/parts/ip-rules.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { AddressFamilies, AddressWish, DnsConfig, DnsHost, DnsServerConfig, DnsTerms } from '../../settings/dns.ts'
import type { DomainRule, IpRule } from '../../settings/routing.ts'
import { readDomainRule } from '../routing/names.ts'
import { readServer } from './dns-server.ts'

const strategies = ['UseIP', 'UseIPv4', 'UseIPv6', 'UseSystem'] as const
const common = () => ({
  clientIp: text('Address in the network that servers are told of (EDNS Client Subnet).'),
  queryStrategy: openWord(strategies, 'Kinds of addresses. Default: UseIP.'),
  disableCache: flag('Ask every time.'),
  tag: text('Inbound tag of these queries, for rules.'),
  serveStale: flag('Answer with expired entries, and ask behind it.'),
  serveExpiredTTL: integer(0, 4294967295, 'How long after its end an entry is served, seconds. Default: 0, for ever.'),
})
const strategy5 = (name: string) =>
  withoutEffect(text(`${name} of V2Ray 5.`), 'write the switches of V2Ray 4 instead', [''])

const server = object(() => ({
  ...common(),
  address: text('IP address, localhost, fakedns, or a URL such as https://1.1.1.1/dns-query. Required.'),
  port: port('Port. Default: 53.'),
  domains: stringList('Names for which this server comes first.'),
  expectIPs: stringList('Addresses to keep; "*" among them makes it a preference.'),
  expectedIPs: stringList('Xray’s name of expectIPs.'),
  unexpectedIPs: stringList('Addresses to drop; "*" as above.'),
  skipFallback: flag('Only for its own names.'),
  finalQuery: flag('The last server to ask.'),
  timeoutMs: integer(0, 4294967295, 'Milliseconds. Default: 4000.'),
  fallbackStrategy: strategy5('fallbackStrategy'),
  cacheStrategy: strategy5('cacheStrategy'),
})).describe('A server with conditions.')

const hosts = () =>
  noted(
    mapOf(
      z
        .union([z.string(), z.array(z.string())])
        .describe('An address, a name, several addresses, or # and a response code.'),
      'Fixed answers.',
    ),
    { expected: 'an object of names and addresses' },
  )

export const dnsSchema = object(() => ({
  ...common(),
  servers: z.array(z.union([z.string(), server])).describe('Servers, in order. Default: localhost.'),
  hosts: hosts(),
  disableFallback: flag('Ask no server whose own names do not match.'),
  disableFallbackIfMatch: flag('Ask no other server where one’s own names match.'),
  useSystemHosts: flag('Read the hosts file.'),
  enableParallelQuery: flag('Ask all at once.'),
  fallbackStrategy: strategy5('fallbackStrategy'),
  cacheStrategy: strategy5('cacheStrategy'),
  domainMatcher: withoutEffect(text('linear or mph.'), 'it does not change results', ['']),
})).describe('Resolution of names for rules, for the dns outbound, and for outbounds that resolve targets.')

const timeoutMs = 4_000

/** Undefined where there is none. What is wrong is reported. */
export function readDns(input: z.output<typeof dnsSchema> | undefined, context: Context): DnsConfig | undefined {
  if (!input) return undefined
  const { report } = context
  const terms = termsOf(input, undefined, context)
  const list = input.servers ?? []
  const servers = list.flatMap((entry, i) =>
    typeof entry === 'string'
      ? simpleServer(entry, report.at(list, i), terms, context)
      : (serverOf(entry, terms, context) ?? []),
  )
  if (list.length === 0) servers.push(...simpleServer('localhost', report.at(input), terms, context))
  const fixed = hostsOf(input.hosts ?? {}, context)
  for (const { kind, address, label } of servers)
    warnOfName(kind, address.host, label, fixed, report.at(input, 'servers'), context)
  return {
    ...terms,
    servers,
    hosts: fixed,
    disableFallback: input.disableFallback ?? false,
    disableFallbackIfMatch: input.disableFallbackIfMatch ?? false,
    useSystemHosts: input.useSystemHosts ?? false,
    parallel: input.enableParallelQuery ?? false,
  }
}

const noConditions = {
  domains: [],
  skipFallback: false,
  finalQuery: false,
  timeoutMs,
}

function simpleServer(written: string, place: Place, terms: DnsTerms, context: Context): DnsServerConfig[] {
  const at = readServer(written, undefined, place, context)
  return at ? [{ ...terms, ...noConditions, ...at }] : []
}

function serverOf(entry: z.output<typeof server>, terms: DnsTerms, context: Context): DnsServerConfig | undefined {
  const { report } = context
  if (entry.address === undefined) {
    if (!report.wrote(entry, 'address')) report.error('CFG024', report.at(entry), 'this server has no "address"')
    return undefined
  }
  const at = readServer(entry.address, entry.port, report.at(entry, 'address'), context)
  const domains = listOf(entry.domains).flatMap(
    (rule) => readDomainRule(rule, report.at(entry, 'domains'), context) ?? [],
  )
  const expected = wishOf(entry, entry.expectedIPs === undefined ? 'expectIPs' : 'expectedIPs', context)
  const unexpected = wishOf(entry, 'unexpectedIPs', context)
  if (!at) return undefined
  return {
    ...termsOf(entry, terms, context),
    ...at,
    domains,
    ...(expected && { expected }),
    ...(unexpected && { unexpected }),
    skipFallback: entry.skipFallback ?? false,
    finalQuery: entry.finalQuery ?? false,
    timeoutMs: entry.timeoutMs || timeoutMs,
  }
}

/** With `*` among them they are a preference. */
function wishOf(
  entry: z.output<typeof server>,
  key: 'expectIPs' | 'expectedIPs' | 'unexpectedIPs',
  context: Context,
): AddressWish | undefined {
  const written = listOf(entry[key])
  const place = context.report.at(entry, key)
  const rules = written.flatMap((rule): IpRule[] =>
    rule === '*' ? [] : [readIpRule(rule, place, context) ?? []].flat(),
  )
  return rules.length > 0 ? { rules, mild: written.includes('*') } : undefined
}

type Common = Partial<Pick<z.output<typeof server>, keyof ReturnType<typeof common>>> & object

/** A server has what it says, and otherwise what all have. */
function termsOf(input: Common, all: DnsTerms | undefined, context: Context): DnsTerms {
  const { report } = context
  const clientIp = input.clientIp?.trim() ?? all?.clientIp ?? ''
  if (input.clientIp && parseHost(clientIp).kind === 'domain') {
    const found = JSON.stringify(shorten(input.clientIp))
    report.error('CFG028', report.at(input, 'clientIp'), `found ${found}, expected an IP address`)
  }
  return {
    clientIp: clientIp && formatHost(parseHost(clientIp)),
    families: familiesOf(input, context) ?? all?.families ?? 'both',
    disableCache: input.disableCache ?? all?.disableCache ?? false,
    serveStale: input.serveStale ?? all?.serveStale ?? false,
    serveExpiredTtlS: input.serveExpiredTTL ?? all?.serveExpiredTtlS ?? 0,
    tag: input.tag || all?.tag || '',
  }
}

const families: Readonly<Record<string, AddressFamilies>> = {
  useip: 'both',
  useipv4: 'ipv4',
  useipv6: 'ipv6',
  usesystem: 'system',
}

function familiesOf(input: Common, { report }: Context): AddressFamilies | undefined {
  const word = input.queryStrategy?.toLowerCase().replaceAll(/[_-]/g, '')
  if (!word) return undefined
  if (Object.hasOwn(families, word)) return families[word]
  const message = `unknown strategy ${JSON.stringify(shorten(input.queryStrategy!))}: "UseIP" is used`
  report.warn('CFG026', report.at(input, 'queryStrategy'), message, didYouMean(word, strategies))
  return 'both'
}

function hostsOf(input: Readonly<Record<string, string | readonly string[]>>, context: Context): DnsHost[] {
  return Object.entries(input).flatMap(([written, value]) => {
    const rule = readDomainRule(written, context.report.at(input, written), context, 'full')
    return rule ? hostOf(rule, typeof value === 'string' ? [value] : value) : []
  })
}

function hostOf(rule: DomainRule, values: readonly string[]): DnsHost {
  const code = /^#(\d{1,5})$/.exec(values[0] ?? '')
  if (code) return { rule, addresses: [], rcode: Number(code[1]) }
  const isName = (value: string) => parseHost(value).kind === 'domain'
  const alias = values.find(isName)?.toLowerCase()
  const addresses = values.filter((value) => !isName(value)).map((value) => formatHost(parseHost(value)))
  return { rule, addresses, ...(alias !== undefined && { alias }) }
}

/** Its own name has to be looked up before it can be asked. */
function warnOfName(
  kind: DnsServerConfig['kind'],
  host: string,
  label: string,
  fixed: readonly DnsHost[],
  place: Place,
  { report }: Context,
): void {
  if (
    kind !== 'udp' ||
    parseHost(host).kind !== 'domain' ||
    fixed.some(({ rule }) => rule.kind === 'full' && rule.value === host)
  )
    return
  const message = `${JSON.stringify(shorten(label))} is a name, which an outbound has to look up before anything is asked`
  report.warn('CFG028', place, message, 'write its IP address, or put the name into "hosts"')
}

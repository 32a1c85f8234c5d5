/** `dns`: checked, not applied yet. */
import { z } from 'zod'
import { parseHost } from '../../core/address.ts'
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
import { checkIpRule } from '../../schema/parts/ip-rules.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import { checkDomainRule } from '../routing/names.ts'

const strategies = ['UseIP', 'UseIPv4', 'UseIPv6', 'UseSystem'] as const
const common = {
  clientIp: text('Network to name to servers.'),
  queryStrategy: openWord(strategies, 'Kinds of addresses. Default: UseIP.'),
  disableCache: flag('Ask every time.'),
  tag: text('Tag of these queries for rules.'),
  serveStale: flag('Answer with expired entries.'),
  serveExpiredTTL: integer(0, 4294967295, 'Seconds.'),
}

const server = object({
  ...common,
  address: text('IP address, localhost, or a URL such as https://1.1.1.1/dns-query. Required.'),
  port: port('Port. Default: 53.'),
  domains: stringList('Names for which this server comes first.'),
  expectIPs: stringList('Answers to keep.'),
  expectedIPs: stringList('Xray’s name of expectIPs.'),
  unexpectedIPs: stringList('Answers to drop.'),
  skipFallback: flag('Only for its own names.'),
  finalQuery: flag('The last server to ask.'),
  timeoutMs: integer(0, 4294967295, 'Milliseconds.'),
  fallbackStrategy: text('For V2Ray 5.'),
  cacheStrategy: text('For V2Ray 5.'),
}).describe('A server with conditions.')

const hosts = noted(
  mapOf(
    z.union([z.string(), z.array(z.string())]).describe('An address, a name, or several addresses.'),
    'Fixed answers.',
  ),
  { expected: 'an object of names and addresses' },
)

export const dnsSchema = object({
  ...common,
  servers: z.array(z.union([z.string(), server])).describe('Servers, in order.'),
  hosts,
  disableFallback: flag('Ask no other server.'),
  disableFallbackIfMatch: flag('Ask no other server after a match.'),
  useSystemHosts: flag('Read the hosts file.'),
  enableParallelQuery: flag('Ask at once.'),
  fallbackStrategy: text('For V2Ray 5.'),
  cacheStrategy: text('For V2Ray 5.'),
  domainMatcher: withoutEffect(text('linear or mph.'), 'it does not change results', ['']),
}).describe('Resolution of names. Checked, not applied yet.')

export function checkDns(input: z.output<typeof dnsSchema> | undefined, context: Context): void {
  if (!input) return
  const { report } = context
  checkCommon(input, context)
  const servers = input.servers ?? []
  for (const [i, entry] of servers.entries()) {
    if (typeof entry === 'string') {
      checkServer(entry, report.at(servers, i), context)
      continue
    }
    checkCommon(entry, context)
    if (entry.address !== undefined) checkServer(entry.address, report.at(entry, 'address'), context)
    else if (!report.wrote(entry, 'address'))
      report.error('CFG024', report.at(entry, 'address'), 'this server has no "address"')
    for (const rule of listOf(entry.domains)) checkDomainRule(rule, report.at(entry, 'domains'), context)
    for (const key of ['expectIPs', 'expectedIPs', 'unexpectedIPs'] as const) {
      for (const rule of listOf(entry[key])) if (rule !== '*') checkIpRule(rule, report.at(entry, key), context)
    }
  }
  for (const name of Object.keys(input.hosts ?? {})) {
    checkDomainRule(name, report.at(input.hosts!, name), context)
  }
  if (servers.length === 0 && Object.keys(input.hosts ?? {}).length === 0) return
  report.notApplied('dns', report.at(input), 'is checked but not applied in this version: the system resolves names')
}

function checkCommon(
  input: { readonly clientIp?: string | undefined; readonly queryStrategy?: string | undefined } & object,
  { report }: Context,
): void {
  if (input.clientIp && parseHost(input.clientIp).kind === 'domain') {
    report.error(
      'CFG028',
      report.at(input, 'clientIp'),
      `found ${JSON.stringify(shorten(input.clientIp))}, expected an IP address`,
    )
  }
  const word = input.queryStrategy?.toLowerCase().replaceAll(/[_-]/g, '')
  if (word && !strategies.some((name) => name.toLowerCase() === word)) {
    const message = `unknown strategy ${JSON.stringify(shorten(input.queryStrategy!))}: "UseIP" is used`
    report.warn('CFG026', report.at(input, 'queryStrategy'), message, didYouMean(word, strategies))
  }
}

const schemes = ['tcp', 'tcp+local', 'https', 'https+local', 'quic+local', 'h2c', 'h2c+local', 'udp']

function checkServer(text: string, place: Place, { report }: Context): void {
  const scheme = /^([a-z0-9+]+):\/\/(.*)$/is.exec(text)
  const shown = JSON.stringify(shorten(text))
  if (text.toLowerCase() === 'fakedns') {
    report.error('CFG034', place, 'fakedns is not supported')
  } else if (scheme && !schemes.includes(scheme[1]!.toLowerCase())) {
    report.error('CFG028', place, `${shown}: unknown kind of server`, didYouMean(scheme[1]!, schemes))
  } else if (text.trim() === '' || scheme?.[2] === '') {
    report.error('CFG028', place, `found ${shown}, expected an IP address, "localhost", or a URL`)
  }
}

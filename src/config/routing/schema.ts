/** Fields of `routing`. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import {
  anyObject,
  flag,
  integer,
  mapOf,
  object,
  openWord,
  ports,
  refused,
  stringList,
  subtree,
  text,
} from '../../schema/fields.ts'

const narrowing = 'this condition is not supported, and without it the rule would match more'

const ruleSchema = object(() => ({
  type: text('Always "field"; may be left out.'),
  domain: stringList('Names: keyword, domain:, full:, regexp:, dotless:, geosite:, ext:.'),
  domains: stringList('More names.'),
  ip: stringList('Targets: addresses, blocks, geoip:, ext:.'),
  port: ports('Ports of the target.'),
  sourcePort: ports('Ports of the client.'),
  localPort: ports('Ports of the inbound.'),
  network: stringList('tcp, udp or both.'),
  source: stringList('Addresses of the client.'),
  sourceIP: stringList('Xray’s name of source.'),
  localIP: stringList('Addresses of the inbound.'),
  user: stringList('E-mails of users.'),
  inboundTag: stringList('Tags of inbounds.'),
  protocol: stringList('Sniffed protocols: http, tls, bittorrent, quic.'),
  attrs: z
    .union([mapOf(z.string(), 'Headers and regular expressions.'), z.string()])
    .describe('Attributes of HTTP requests.'),
  outboundTag: text('Where connections go.'),
  balancerTag: text('Which balancer chooses.'),
  ruleTag: text('Name of the rule in logs.'),
  domainMatcher: text('linear or mph; without effect on results.'),
  process: refused(stringList('Programs.'), narrowing),
  localOS: refused(stringList('Operating systems.'), narrowing),
  vlessRoute: refused(z.union([z.int(), z.string()]).describe('For VLESS.'), narrowing),
  webhook: refused(anyObject('What to call.'), 'calls to the outside are not supported'),
})).describe('A rule.')

const balancerSchema = object(() => ({
  tag: text('Name of the balancer.'),
  selector: stringList('Beginnings of outbound tags.'),
  strategy: object(() => ({
    type: openWord(['random', 'roundRobin', 'leastPing', 'leastLoad'], 'How to choose. Default: random.'),
    settings: object(() => ({
      expected: integer(0, 65535, 'How many are chosen among. Default: 1.'),
      baselines: z.array(z.union([z.string(), z.int()])).describe('Limits of the deviation, such as 1s.'),
      maxRTT: z.union([z.string(), z.int()]).describe('The longest average, such as 2s.'),
      tolerance: subtree('Share of failed probes that is borne with, 0 to 1.'),
      costs: z
        .array(
          object(() => ({
            regexp: flag('match is a regular expression.'),
            match: text('A part of tags.'),
            value: subtree('Factor, more than 0.'),
          })).describe('What an outbound costs.'),
        )
        .describe('Factors for outbounds.'),
      aliveOnly: flag('For V2Ray 5.'),
    })).describe('Of leastLoad.'),
  })).describe('How to choose.'),
  fallbackTag: text('Outbound to take when there is none.'),
})).describe('A choice among outbounds.')

export const domainStrategies = ['AsIs', 'IPIfNonMatch', 'IPOnDemand', 'AlwaysIP'] as const

export const routingSchema = object(() => ({
  domainStrategy: openWord(domainStrategies, 'When names are resolved for IP rules. Default: AsIs.'),
  domainMatcher: text('linear or mph; without effect on results.'),
  normalizeTrailingDot: flag(
    'Names lose one dot at their end before rules see them. Default: false; with --strict true.',
  ),
  rules: z.array(ruleSchema).describe('Top to bottom, the first that matches wins.'),
  balancers: z.array(balancerSchema).describe('Choices among outbounds.'),
  strategy: text('Old form: "rules".'),
  settings: object(() => ({
    domainStrategy: openWord(domainStrategies, 'Old place of domainStrategy.'),
    rules: z.array(ruleSchema).describe('Old place of rules.'),
  })).describe('Old form.'),
})).describe('Which connection takes which outbound.')

export type RoutingInput = z.output<typeof routingSchema>
export type RuleInput = z.output<typeof ruleSchema>
export type BalancerInput = z.output<typeof balancerSchema>

/** Fields of a rule that are conditions. */
const matchers = [
  'domain',
  'domains',
  'ip',
  'port',
  'sourcePort',
  'localPort',
  'network',
  'source',
  'sourceIP',
  'localIP',
  'user',
  'inboundTag',
  'protocol',
  'attrs',
] as const satisfies readonly (keyof RuleInput)[]

/** Of these an empty text is a condition that never holds, as with the peers. */
const neverHolding: ReadonlySet<string> = new Set(['port', 'sourcePort', 'localPort', 'network'])

/** The conditions of a rule. An empty list says nothing; a value that was refused is a condition. */
export const conditionsOf = (rule: RuleInput, { report }: Context): (typeof matchers)[number][] =>
  matchers.filter((key) => report.wrote(rule, key) && !isEmpty(key, rule[key]))

const isEmpty = (key: string, value: unknown): boolean =>
  value === '' ? !neverHolding.has(key) : typeof value === 'object' && value !== null && Object.keys(value).length === 0

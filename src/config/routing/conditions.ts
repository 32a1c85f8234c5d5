/** The conditions of a rule, read. */
import { expressionFault } from '../../routing/attributes.ts'
import { regexpFault } from '../../routing/regexps.ts'
import type { Context } from '../../schema/context.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf, readPorts } from '../../schema/values.ts'
import type { PortRange } from '../../settings/ports.ts'
import type { AttributeRule, IpRule, RoutingRule, UserRule } from '../../settings/routing.ts'
import { readIpRule } from './addresses.ts'
import { readDomainRule } from './names.ts'
import type { RuleInput } from './schema.ts'

type ListKey = 'domain' | 'domains' | 'ip' | 'source' | 'sourceIP' | 'localIP' | 'user' | 'inboundTag' | 'protocol'

type Conditions = Omit<RoutingRule, 'at' | 'ruleTag' | 'outboundTag' | 'balancerTag'>

/** All that are there; what cannot be read is reported. */
export function readConditions(rule: RuleInput, context: Context): Conditions {
  const { report } = context
  const lists = { domains: [...entries(rule, 'domain', context), ...entries(rule, 'domains', context)] }
  const domains = lists.domains.flatMap(([text, place]) => readDomainRule(text, place, context) ?? [])
  const source = report.wrote(rule, 'sourceIP') ? 'sourceIP' : 'source'
  const [ips, sources, locals] = [
    readIps(rule, 'ip', context),
    readIps(rule, source, context),
    readIps(rule, 'localIP', context),
  ]
  const [ports, sourcePorts, localPorts] = (['port', 'sourcePort', 'localPort'] as const).map((key) =>
    portsOf(rule, key, context),
  )
  const networks = networksOf(rule, context)
  const users = entries(rule, 'user', context)
  const inboundTags = entries(rule, 'inboundTag', context)
  const protocols = entries(rule, 'protocol', context)
  for (const key of ['user', 'inboundTag', 'protocol'] as const) {
    const texts = entries(rule, key, context)
    if (texts.length > 0 && texts.every(([text]) => text === '')) {
      report.warn('CFG123', report.at(rule, key), `"${key}" has only empty texts: this rule never matches`)
    }
  }
  const attributes = attributesOf(rule, context)
  return {
    ...(lists.domains.length > 0 && { domains }),
    ...(ips && { ips }),
    ...(sources && { sources }),
    ...(locals && { locals }),
    ...(ports && { ports }),
    ...(sourcePorts && { sourcePorts }),
    ...(localPorts && { localPorts }),
    ...(networks && { networks }),
    ...(users.length > 0 && { users: users.flatMap(([text, place]) => readUser(text, place, context) ?? []) }),
    ...(inboundTags.length > 0 && { inboundTags: inboundTags.map(([text]) => text) }),
    ...(protocols.length > 0 && { protocols: protocols.map(([text]) => text) }),
    ...(attributes && { attributes }),
  }
}

/** The entries of a list, with their places. */
export function entries(rule: RuleInput, key: ListKey, { report }: Context): [text: string, place: Place][] {
  const value = rule[key]
  if (value === undefined) return []
  if (typeof value === 'string' && value === '') return []
  return listOf(value).map((text, i) => [text, typeof value === 'object' ? report.at(value, i) : report.at(rule, key)])
}

function readIps(
  rule: RuleInput,
  key: 'ip' | 'source' | 'sourceIP' | 'localIP',
  context: Context,
): IpRule[] | undefined {
  const list = entries(rule, key, context)
  if (list.length === 0) return undefined
  const rules = list.flatMap(([text, place]) => readIpRule(text, place, context) ?? [])
  const inverted = new Set(rules.filter(({ not }) => not).map(({ kind }) => kind))
  if (inverted.size > 1) {
    const message = 'addresses and lists that say "not" are alternatives to each other: this matches nearly everything'
    context.report.warn('CFG123', context.report.at(rule, key), message)
  } else if (rules.filter(({ not }) => not).length > 1) {
    const message = 'several entries say "not": all of them must hold, as in Xray; in V2Ray 5 any of them suffices'
    context.report.warn('CFG123', context.report.at(rule, key), message)
  }
  return rules
}

function portsOf(
  rule: RuleInput,
  key: 'port' | 'sourcePort' | 'localPort',
  context: Context,
): readonly PortRange[] | undefined {
  const { report } = context
  const value = rule[key]
  if (value === undefined) return undefined
  const place = report.at(rule, key)
  if (value === 0) report.warn('CFG123', place, 'port 0 matches nothing')
  if (typeof value === 'number') return [{ from: value, to: value }]
  const items = value.split(',').filter((item) => item.trim() !== '')
  if (items.length === 0) {
    report.warn('CFG123', place, `"${key}" names no port: this rule never matches`)
    return []
  }
  return readPorts(items.join(','), place, context) ?? []
}

/** As the peers read it: blanks around a name make it another name. */
function networksOf(rule: RuleInput, { report }: Context): readonly ('tcp' | 'udp')[] | undefined {
  const { network } = rule
  if (network === undefined || (typeof network === 'object' && network.length === 0)) return undefined
  const found = new Set<'tcp' | 'udp'>()
  const place = report.at(rule, 'network')
  for (const item of listOf(network)) {
    const name = item.toLowerCase()
    if (name === 'tcp' || name === 'udp') found.add(name)
    else if (name !== 'unix') {
      const trimmed = name.trim()
      const hint =
        trimmed === 'tcp' || trimmed === 'udp' ? `leave out the blanks: "tcp,udp"` : didYouMean(name, ['tcp', 'udp'])
      report.warn(
        'CFG026',
        place,
        `found ${JSON.stringify(shorten(item))}, expected "tcp" or "udp": this name matches nothing`,
        hint,
      )
    }
  }
  return [...found]
}

function readUser(text: string, place: Place, { report }: Context): UserRule | undefined {
  if (!text.startsWith('regexp:') || text.length === 'regexp:'.length) return { kind: 'full', value: text }
  const value = text.slice('regexp:'.length)
  const fault = regexpFault(value)
  if (!fault) return { kind: 'regexp', value }
  report.error('CFG122', place, `${JSON.stringify(shorten(text))}: ${fault}`)
  return undefined
}

function attributesOf(rule: RuleInput, { report }: Context): AttributeRule | undefined {
  const { attrs } = rule
  if (attrs === undefined || attrs === '') return undefined
  const place = report.at(rule, 'attrs')
  if (typeof attrs === 'string') {
    const fault = expressionFault(attrs)
    if (fault) {
      const hint = 'write an object of headers and regular expressions'
      report.error('CFG122', place, `this expression is not supported: ${fault}`, hint)
    }
    return { kind: 'expression', text: attrs }
  }
  if (Object.keys(attrs).length === 0) return undefined
  for (const [name, pattern] of Object.entries(attrs)) {
    const fault = regexpFault(pattern)
    if (fault) report.error('CFG122', report.at(attrs, name), `${JSON.stringify(shorten(pattern))}: ${fault}`)
  }
  return { kind: 'headers', headers: { ...attrs } }
}

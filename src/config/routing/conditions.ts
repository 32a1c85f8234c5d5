/** The conditions of a rule, read. */
import { expressionFault } from '../../routing/attributes.ts'
import { regexpFault } from '../../routing/regexps.ts'
import type { Context } from '../../schema/context.ts'
import { entriesOf, readIps, readRuleNetworks, readRulePorts } from '../../schema/parts/rule-targets.ts'
import { type Place, shorten } from '../../schema/report.ts'
import type { AttributeRule, RoutingRule, UserRule } from '../../settings/routing.ts'
import { readDomainRule } from './names.ts'
import type { RuleInput } from './schema.ts'

type Conditions = Omit<RoutingRule, 'at' | 'ruleTag' | 'outboundTag' | 'balancerTag'>

/** All that are there; what cannot be read is reported. */
export function readConditions(rule: RuleInput, context: Context): Conditions {
  const { report } = context
  const lists = { domains: [...entriesOf(rule, 'domain', context), ...entriesOf(rule, 'domains', context)] }
  const domains = lists.domains.flatMap(([text, place]) => readDomainRule(text, place, context) ?? [])
  const source = report.wrote(rule, 'sourceIP') ? 'sourceIP' : 'source'
  const [ips, sources, locals] = [
    readIps(rule, 'ip', context),
    readIps(rule, source, context),
    readIps(rule, 'localIP', context),
  ]
  const [ports, sourcePorts, localPorts] = (['port', 'sourcePort', 'localPort'] as const).map((key) =>
    readRulePorts(rule, key, context),
  )
  const networks = readRuleNetworks(rule, context)
  const users = entriesOf(rule, 'user', context)
  const inboundTags = entriesOf(rule, 'inboundTag', context)
  const protocols = entriesOf(rule, 'protocol', context)
  for (const key of ['user', 'inboundTag', 'protocol'] as const) {
    const texts = entriesOf(rule, key, context)
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

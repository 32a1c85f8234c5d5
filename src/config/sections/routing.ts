/** `routing`: every rule is checked, so that a file that loads today still loads when rules are applied; those to the API are. */

import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { networksOf } from '../../schema/parts/networks.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf, readPorts } from '../../schema/values.ts'
import { readApiRules } from './api-rules.ts'
import { checkDomainRule, checkIpRule } from './domain-rules.ts'
import { checkProtection, neverMatches } from './protective-rules.ts'
import {
  type BalancerInput,
  conditionsOf,
  domainStrategies,
  type RoutingInput,
  type RuleInput,
} from './routing-schema.ts'

/** What rules may name. */
export interface Tags {
  readonly inbounds: readonly string[]
  /** Inbounds of the reverse proxy, which is refused: rules about them are for it alone. */
  readonly bridges: readonly string[]
  readonly outbounds: readonly string[]
  /** The default outbound, whose tag may be empty. */
  readonly first: { readonly tag: string; readonly protocol: string } | undefined
  /** Protocols of the outbounds by tag. */
  readonly protocols: ReadonlyMap<string, string>
  /** The API's. */
  readonly api: string | undefined
  /** Rules that protect may stay unapplied. */
  readonly allowed: boolean
}

/** Returns the tags of the inbounds that lead to the API. */
export function checkRouting(input: RoutingInput | undefined, tags: Tags, context: Context): readonly string[] {
  if (!input) return []
  const { report } = context
  for (const owner of [input, input.settings]) {
    if (!owner?.domainStrategy) continue
    const word = plain(owner.domainStrategy)
    if (domainStrategies.some((name) => plain(name) === word)) continue
    const message = `unknown strategy ${JSON.stringify(shorten(owner.domainStrategy))}: "AsIs" is used; expected ${oneOf(domainStrategies.slice(0, 3))}`
    report.warn(
      'CFG026',
      report.at(owner, 'domainStrategy'),
      message,
      didYouMean(owner.domainStrategy, domainStrategies),
    )
  }
  const balancers = input.balancers ?? []
  for (const balancer of balancers) checkBalancer(balancer, tags, context)
  const balancerTags = balancers.flatMap(({ tag }) => (tag ? [tag] : []))
  const rules = [...(input.rules ?? []), ...(input.settings?.rules ?? [])]
  for (const rule of rules) checkRule(rule, { ...tags, balancers: balancerTags }, context)
  const api = readApiRules(rules, tags.api, context)
  const others = rules.filter((rule) => !api.rules.has(rule))
  const ways = { protocols: tags.protocols, first: tags.first?.protocol, balancers, inbounds: tags.inbounds }
  const settled = checkProtection(others, ways, tags.allowed, context)
  const left = others.filter((rule) => !settled.has(rule)).length
  if (left === 0) return api.inboundTags
  const count = left === 1 ? '1 rule is' : `${left} rules are`
  const way = tags.first?.tag ? `, ${JSON.stringify(shorten(tags.first.tag))}` : ''
  const every = api.inboundTags.length > 0 ? 'every other connection' : 'every connection'
  const text = `${count} checked but not applied in this version: ${every} takes the first outbound${way}`
  report.notApplied('routing', report.at(input), text)
  return api.inboundTags
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '')

function checkRule(rule: RuleInput, tags: Tags & { readonly balancers: readonly string[] }, context: Context): void {
  const { report } = context
  if (rule.type && rule.type.toLowerCase() !== 'field') {
    report.error('CFG025', report.at(rule, 'type'), `found ${JSON.stringify(shorten(rule.type))}, expected "field"`)
  }
  if (conditionsOf(rule, context).length === 0) {
    const hint = 'for a rule that takes everything write "network": "tcp,udp"'
    report.error('CFG120', report.at(rule), 'this rule has no condition', hint)
  }
  checkTarget(rule, tags, context)
  checkConditions(rule, tags, context)
}

function checkTarget(
  rule: RuleInput,
  tags: Tags & { readonly balancers: readonly string[] },
  { report }: Context,
): void {
  const { outboundTag, balancerTag } = rule
  if (outboundTag) {
    if (tags.outbounds.includes(outboundTag) || neverMatches(rule, tags)) return
    const message = `no outbound has the tag ${JSON.stringify(shorten(outboundTag))}: a rule that leads nowhere blocks`
    report.warn('CFG121', report.at(rule, 'outboundTag'), message, tagHint(outboundTag, tags.outbounds))
  } else if (balancerTag) {
    if (tags.balancers.includes(balancerTag)) return
    const message = `no balancer has the tag ${JSON.stringify(shorten(balancerTag))}`
    report.error('CFG121', report.at(rule, 'balancerTag'), message, tagHint(balancerTag, tags.balancers))
  } else if (!report.wrote(rule, 'outboundTag') || outboundTag === '') {
    report.error('CFG120', report.at(rule), 'this rule leads nowhere: it has neither "outboundTag" nor "balancerTag"')
  }
}

/** The nearest tag, or what tags there are. */
export function tagHint(tag: string, tags: readonly string[]): string | undefined {
  const named = tags.filter((candidate) => candidate !== '')
  return (
    didYouMean(tag, named) ??
    (named.length > 0 ? `there is ${oneOf(named.slice(0, 8).map((name) => shorten(name)))}` : undefined)
  )
}

function checkConditions(rule: RuleInput, tags: Tags, context: Context): void {
  const { report } = context
  each(rule, ['domain', 'domains'], context, (text, place) => checkDomainRule(text, place, context))
  each(rule, ['ip', 'source', 'sourceIP', 'localIP'], context, (text, place) => checkIpRule(text, place, context))
  const inverse = listOf(rule.ip).filter((text) => text.startsWith('!') || /^(?:geoip|ext(?:-ip)?:[^:]+):!/i.test(text))
  if (inverse.length > 1) {
    const message = 'several entries say "not": all of them must hold, as in Xray; in V2Ray 5 any of them suffices'
    report.warn('CFG123', report.at(rule, 'ip'), message)
  }
  for (const key of ['port', 'sourcePort', 'localPort'] as const) {
    const value = rule[key]
    if (value === undefined || value === '') continue
    if (value === 0) report.warn('CFG123', report.at(rule, key), 'port 0 matches nothing')
    else readPorts(value, report.at(rule, key), context)
  }
  networksOf(rule.network, [], report.at(rule, 'network'), context)
  each(rule, ['user'], context, (text, place) => {
    if (text.startsWith('regexp:')) checkDomainRule(text, place, context)
  })
  each(rule, ['inboundTag'], context, (tag, place) => {
    if (tags.inbounds.includes(tag) || tags.bridges.includes(tag)) return
    report.warn(
      'CFG121',
      place,
      `no inbound has the tag ${JSON.stringify(shorten(tag))}: this never matches`,
      tagHint(tag, tags.inbounds),
    )
  })
  checkAttributes(rule, context)
}

function checkAttributes(rule: RuleInput, context: Context): void {
  const { attrs } = rule
  if (attrs === undefined) return
  const { report } = context
  if (typeof attrs === 'string') {
    const simple =
      /^\s*attrs\[(['"])[^'"]*\1\](?:\s*==\s*(['"])[^'"]*\2|\.startswith\((['"])[^'"]*\3\))\s*$|^\s*(['"])[^'"]*\4\s+in\s+attrs(?:\[(['"])[^'"]*\5\])?\s*$/
    if (simple.test(attrs)) return
    const hint = 'write an object of headers and regular expressions'
    report.error('CFG122', report.at(rule, 'attrs'), 'this expression is not supported', hint)
    return
  }
  for (const [name, pattern] of Object.entries(attrs))
    checkDomainRule(`regexp:${pattern}`, report.at(attrs, name), context)
}

function each(
  rule: RuleInput,
  keys: readonly ('domain' | 'domains' | 'ip' | 'source' | 'sourceIP' | 'localIP' | 'user' | 'inboundTag')[],
  { report }: Context,
  check: (text: string, place: Place) => void,
): void {
  for (const key of keys) {
    const value = rule[key]
    for (const [i, text] of listOf(value).entries()) {
      check(text, typeof value === 'object' ? report.at(value, i) : report.at(rule, key))
    }
  }
}

function checkBalancer(balancer: BalancerInput, tags: Tags, { report }: Context): void {
  for (const key of ['tag', 'selector'] as const) {
    if (balancer[key]?.length || (report.wrote(balancer, key) && balancer[key] === undefined)) continue
    report.error('CFG024', report.at(balancer, key), `this balancer has no "${key}"`)
  }
  const type = balancer.strategy?.type?.toLowerCase() ?? 'random'
  if (type === 'leastping' || type === 'leastload') {
    const message = `"${balancer.strategy!.type}" needs measurements, which are not supported; expected "random" or "roundRobin"`
    report.error('CFG034', report.at(balancer.strategy!, 'type'), message)
  } else if (type !== 'random' && type !== 'roundrobin' && type !== '') {
    const message = `found ${JSON.stringify(shorten(type))}, expected "random" or "roundRobin"`
    report.error('CFG025', report.at(balancer.strategy!, 'type'), message, didYouMean(type, ['random', 'roundRobin']))
  }
  const { fallbackTag } = balancer
  if (fallbackTag && !tags.outbounds.includes(fallbackTag)) {
    const message = `no outbound has the tag ${JSON.stringify(shorten(fallbackTag))}`
    report.error('CFG121', report.at(balancer, 'fallbackTag'), message, tagHint(fallbackTag, tags.outbounds))
  }
}

/** `routing`, read: every rule with its conditions, where it leads, and what there is to say about it. */

import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { rulePlace } from '../../schema/parts/rule-place.ts'
import { entriesOf } from '../../schema/parts/rule-targets.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { DomainStrategy, RoutingConfig, RoutingRule } from '../../settings/routing.ts'
import { adviseOnRules } from './advice.ts'
import { readBalancers } from './balancers.ts'
import { readConditions } from './conditions.ts'
import { conditionsOf, domainStrategies, type RoutingInput, type RuleInput } from './schema.ts'
import { type Tags, tagHint } from './tags.ts'

/** The rules, or undefined where there are none. */
export function readRouting(input: RoutingInput | undefined, tags: Tags, context: Context): RoutingConfig | undefined {
  if (!input) return undefined
  const balancers = readBalancers(input.balancers ?? [], tags, context)
  const balancerTags = balancers.map(({ tag }) => tag)
  const inputs = [...(input.rules ?? []), ...(input.settings?.rules ?? [])]
  const rules = inputs.map((rule) => readRule(rule, tags, balancerTags, context))
  const domainStrategy = strategyOf(input, context)
  adviseOnRules(inputs, rules, { ...tags, domainStrategy }, context)
  if (rules.length === 0) return undefined
  return { domainStrategy, normalizeTrailingDot: input.normalizeTrailingDot ?? tags.strict, rules, balancers }
}

/** The outer one; the old place only where that is absent. */
function strategyOf(input: RoutingInput, context: Context): DomainStrategy {
  const found = [input, input.settings].map((owner) => owner && readStrategy(owner, context))
  return found[0] ?? found[1] ?? 'AsIs'
}

function readStrategy(
  owner: { readonly domainStrategy?: string | undefined },
  { report }: Context,
): DomainStrategy | undefined {
  const { domainStrategy } = owner
  if (!domainStrategy) return undefined
  const word = plain(domainStrategy)
  if (word === 'ipifnonmatch') return 'IPIfNonMatch'
  if (word === 'ipondemand') return 'IPOnDemand'
  if (!domainStrategies.some((name) => plain(name) === word)) {
    const shown = JSON.stringify(shorten(domainStrategy))
    const message = `unknown strategy ${shown}: "AsIs" is used, and rules by address do not see names; expected ${oneOf(domainStrategies.slice(0, 3))}`
    const place = report.at(owner, 'domainStrategy')
    report.warn('CFG026', place, message, didYouMean(domainStrategy, domainStrategies))
  }
  return 'AsIs'
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '')

/** Types that V2Ray had up to version 4.17, and what they are now. */
const oldTypes: Readonly<Record<string, string>> = {
  chinaip: 'V2Ray has dropped it: write "type": "field", "ip": ["geoip:cn"]',
  chinasites: 'V2Ray has dropped it: write "type": "field", "domain": ["geosite:cn"]',
}

function readRule(rule: RuleInput, tags: Tags, balancers: readonly string[], context: Context): RoutingRule {
  const { report } = context
  if (rule.type && rule.type.toLowerCase() !== 'field') {
    const message = `found ${JSON.stringify(shorten(rule.type))}, expected "field"`
    report.error('CFG025', report.at(rule, 'type'), message, oldTypes[rule.type.toLowerCase()])
  } else if (conditionsOf(rule, context).length === 0) {
    const hint = 'for a rule that takes everything write "network": "tcp,udp"'
    report.error('CFG120', report.at(rule), 'this rule has no condition', hint)
  }
  checkTarget(rule, tags, balancers, context)
  checkInbounds(rule, tags, context)
  const { outboundTag, balancerTag, ruleTag = '' } = rule
  return {
    ...rulePlace(report.at(rule)),
    ruleTag,
    ...(outboundTag ? { outboundTag } : balancerTag ? { balancerTag } : {}),
    ...readConditions(rule, context),
  }
}

function checkTarget(rule: RuleInput, tags: Tags, balancers: readonly string[], { report }: Context): void {
  const { outboundTag, balancerTag } = rule
  if (outboundTag) {
    if (tags.outbounds.includes(outboundTag) || neverMatches(rule, tags)) return
    const shown = JSON.stringify(shorten(outboundTag))
    if (tags.leftOut.includes(outboundTag)) {
      const message = `the outbound ${shown} is left out: what this rule matches is blocked`
      report.warn('CFG121', report.at(rule, 'outboundTag'), message)
      return
    }
    const message = `no outbound has the tag ${shown}: what this rule matches is blocked`
    report.warn('CFG121', report.at(rule, 'outboundTag'), message, tagHint(outboundTag, tags.outbounds))
  } else if (balancerTag) {
    if (balancers.includes(balancerTag)) return
    const message = `no balancer has the tag ${JSON.stringify(shorten(balancerTag))}`
    report.error('CFG121', report.at(rule, 'balancerTag'), message, tagHint(balancerTag, balancers))
  } else if (!report.wrote(rule, 'outboundTag') || outboundTag === '') {
    report.error('CFG120', report.at(rule), 'this rule leads nowhere: it has neither "outboundTag" nor "balancerTag"')
  }
}

function checkInbounds(rule: RuleInput, tags: Tags, context: Context): void {
  for (const [tag, place] of entriesOf(rule, 'inboundTag', context)) {
    if (tag === '' || tags.inbounds.includes(tag)) continue
    const message = `no inbound has the tag ${JSON.stringify(shorten(tag))}: this never matches`
    context.report.warn('CFG121', place, message, tagHint(tag, tags.inbounds))
  }
}

/** A rule for inbounds that do not exist. */
function neverMatches({ inboundTag }: RuleInput, { inbounds }: Pick<Tags, 'inbounds'>): boolean {
  const tags = listOf(inboundTag)
  return tags.length > 0 && !tags.some((tag) => inbounds.includes(tag))
}

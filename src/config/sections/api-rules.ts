/** The one kind of routing rule that is applied in this version: all connections of some inbounds to the API. */
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { listOf } from '../../schema/values.ts'
import { conditionsOf, type RuleInput } from './routing-schema.ts'

export interface ApiRules {
  /** Inbounds whose connections the rules lead to the API. */
  readonly inboundTags: readonly string[]
  /** The rules that lead to the API. What is not applied of these has been said. */
  readonly rules: ReadonlySet<RuleInput>
}

/** Finds them. An inbound that an earlier rule names leads elsewhere, perhaps to keep strangers out: it is left alone. */
export function readApiRules(rules: readonly RuleInput[], api: string | undefined, context: Context): ApiRules {
  const { report } = context
  const inboundTags = new Set<string>()
  const found = new Set<RuleInput>()
  const named = new Map<string, string>()
  for (const rule of rules) {
    const tags = listOf(rule.inboundTag)
    if (api === undefined || rule.outboundTag !== api) {
      for (const tag of tags) if (!named.has(tag)) named.set(tag, report.at(rule).path)
      continue
    }
    found.add(rule)
    if (conditionsOf(rule, context).some((key) => key !== 'inboundTag')) {
      const message = 'this rule to the API is not applied in this version: it has conditions beside "inboundTag"'
      report.warn('CFG032', report.at(rule), message, 'write a rule with "inboundTag" and "outboundTag" alone')
      continue
    }
    for (const tag of tags) {
      const before = named.get(tag)
      if (before === undefined) inboundTags.add(tag)
      else {
        const message = `${JSON.stringify(shorten(tag))} does not lead to the API: ${before} names it first, and is not applied in this version`
        report.warn('CFG032', report.at(rule, 'inboundTag'), message, 'write the rule to the API in front')
      }
    }
  }
  return { inboundTags: [...inboundTags], rules: found }
}

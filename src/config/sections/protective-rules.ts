/**
 * Rules that protect: what they block would be reachable without them, what they send through a proxy would leave
 * unencrypted. Until rules are applied, a file that has one does not start, unless it says that this is all right.
 */
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { listOf } from '../../schema/values.ts'
import { type BalancerInput, conditionsOf, type RuleInput } from './routing-schema.ts'

/** Outbounds as rules see them. */
export interface Ways {
  /** Protocols by tag; of several with one tag the last. */
  readonly protocols: ReadonlyMap<string, string>
  /** Protocol of the default outbound; undefined when there is none. */
  readonly first: string | undefined
  readonly balancers: readonly BalancerInput[]
  readonly inbounds: readonly string[]
}

/** Conditions on what a name or a protocol looks like. What such a rule blocks are advertisements and the like. */
const contents: ReadonlySet<string> = new Set(['domain', 'domains', 'protocol', 'attrs'])

/** Reports the rules that protect, as errors, or with `allowed` as warnings. Returns these, and those that never match. */
export function checkProtection(
  rules: readonly RuleInput[],
  ways: Ways,
  allowed: boolean,
  context: Context,
): ReadonlySet<RuleInput> {
  const settled = new Set<RuleInput>()
  for (const rule of rules) {
    if (neverMatches(rule, ways)) {
      settled.add(rule)
      continue
    }
    const harm = harmOf(rule, ways, context)
    if (harm) {
      settled.add(rule)
      tell(rule, harm, allowed, context)
    }
    // What stands behind a rule that takes everything is never looked at.
    if (takesEverything(rule, context)) break
  }
  return settled
}

function tell(rule: RuleInput, harm: string, allowed: boolean, { report }: Context): void {
  const place = report.at(rule)
  const message = `this rule is not applied in this version: ${harm}`
  if (allowed) report.warn('CFG124', place, `${message}; it starts all the same, as it was told to`)
  else {
    const hint = 'take the rule out, or start all the same with "allowUnappliedRules": true or --allow-unapplied-rules'
    report.error('CFG124', place, message, hint)
  }
}

/** What would happen without the rule; undefined when nothing that matters. */
function harmOf(rule: RuleInput, ways: Ways, context: Context): string | undefined {
  if (ways.first === undefined || ways.first === 'blackhole') return undefined
  const targets = targetsOf(rule, ways)
  const about = conditionsOf(rule, context)
  if (targets.has('blackhole') && !about.some((key) => contents.has(key))) return 'what it blocks would be reachable'
  if (ways.first !== 'freedom' || !targets.has('vmess')) return undefined
  const name = JSON.stringify(shorten(rule.outboundTag || rule.balancerTag || ''))
  return `what it sends through ${name} would leave unencrypted, by the first outbound`
}

/** Protocols that the rule may lead to. A tag that nobody has leads nowhere. */
function targetsOf(rule: RuleInput, { protocols, balancers }: Ways): ReadonlySet<string> {
  if (rule.outboundTag) return new Set([protocols.get(rule.outboundTag) ?? 'blackhole'])
  const balancer = balancers.find(({ tag }) => tag !== undefined && tag === rule.balancerTag)
  const beginnings = listOf(balancer?.selector)
  const chosen = [...protocols].filter(
    ([tag]) => tag === balancer?.fallbackTag || beginnings.some((b) => tag.startsWith(b)),
  )
  return new Set(chosen.map(([, protocol]) => protocol))
}

/** A rule for inbounds that do not exist. */
export function neverMatches({ inboundTag }: RuleInput, { inbounds }: Pick<Ways, 'inbounds'>): boolean {
  const tags = listOf(inboundTag)
  return tags.length > 0 && !tags.some((tag) => inbounds.includes(tag))
}

function takesEverything(rule: RuleInput, context: Context): boolean {
  const networks = new Set(listOf(rule.network).map((name) => name.trim().toLowerCase()))
  return networks.has('tcp') && networks.has('udp') && conditionsOf(rule, context).every((key) => key === 'network')
}

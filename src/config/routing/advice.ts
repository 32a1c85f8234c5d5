/** What rules do that whoever wrote them may not have meant. Nothing of it changes what they do. */
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { DomainStrategy, RoutingRule } from '../../settings/routing.ts'
import { conditionsOf, type RuleInput } from './schema.ts'

interface Known {
  readonly users: readonly string[] | undefined
  readonly sniffs: boolean
  readonly domainStrategy: DomainStrategy
  readonly api: string | undefined
}

const recognised = ['http1', 'tls', 'quic', 'bittorrent', 'fakedns', 'dns', 'https']

export function adviseOnRules(
  inputs: readonly RuleInput[],
  rules: readonly RoutingRule[],
  known: Known,
  context: Context,
): void {
  const { report } = context
  const everything = inputs.findIndex((rule, i) => takesEverything(rule, rules[i]!, context))
  for (const [i, rule] of inputs.entries()) {
    adviseOnUsers(rule, known, context)
    adviseOnProtocols(rule, known, context)
    adviseOnEmpty(rule, context)
    if (known.api !== undefined && rules[i]!.outboundTag === known.api && !rules[i]!.inboundTags) {
      const message =
        'this rule would lead clients of any inbound to the API, which asks for no password: it blocks them'
      report.warn('CFG123', report.at(rule), message, 'write "inboundTag": [ "…" ] into it')
    }
    if (everything < 0 || i <= everything) continue
    const at = report.at(inputs[everything]!).path
    report.warn(
      'CFG123',
      report.at(rule),
      `this rule is never looked at: ${at} takes everything`,
      `write it in front of ${at}`,
    )
  }
  const byAddress = rules.findIndex(({ ips, domains }) => ips !== undefined && domains === undefined)
  if (byAddress < 0) return
  if (known.domainStrategy === 'AsIs') {
    const message = 'rules by address apply to targets that are addresses: no name is resolved for them'
    report.info('CFG125', report.at(inputs[byAddress]!, 'ip'), message, 'write "domainStrategy": "IPIfNonMatch"')
  } else if (known.domainStrategy === 'IPIfNonMatch' && everything >= 0) {
    const message = 'this rule takes everything, so that no name is ever resolved: "IPIfNonMatch" has no effect'
    const hint = 'leave it out (the first outbound is the default anyway), or write "IPOnDemand"'
    report.warn('CFG123', report.at(inputs[everything]!), message, hint)
  }
}

function adviseOnUsers(rule: RuleInput, { users }: Known, { report }: Context): void {
  if (!users) return
  const named = listOf(rule.user).filter((user) => user !== '' && !user.startsWith('regexp:'))
  if (named.length === 0 || named.some((user) => users.includes(user))) return
  const message = `no user has the e-mail ${JSON.stringify(shorten(named[0]!))}: this never matches`
  report.warn('CFG121', report.at(rule, 'user'), message, didYouMean(named[0]!, users))
}

function adviseOnProtocols(rule: RuleInput, { sniffs }: Known, { report }: Context): void {
  const words = listOf(rule.protocol).filter((word) => word !== '')
  if (words.length === 0) return
  const place = report.at(rule, 'protocol')
  if (!sniffs) {
    const message = 'no inbound looks at first bytes: no protocol is ever known, and this never matches'
    report.warn('CFG123', place, message, 'write "sniffing": { "enabled": true } into the inbound')
  }
  for (const word of words) {
    if (recognised.some((name) => name.startsWith(word))) continue
    const message = `${JSON.stringify(shorten(word))} is no protocol that is recognised: it never matches`
    report.warn('CFG026', place, message, didYouMean(word, ['http', 'tls', 'quic', 'bittorrent']))
  }
}

/** An empty list says nothing, so that the rule matches more than it seems to. */
function adviseOnEmpty(rule: RuleInput, { report }: Context): void {
  for (const key of [
    'domain',
    'domains',
    'ip',
    'source',
    'sourceIP',
    'localIP',
    'user',
    'inboundTag',
    'protocol',
  ] as const) {
    const value = rule[key]
    if (typeof value !== 'object' || value.length > 0) continue
    report.warn('CFG123', report.at(rule, key), `this list is empty: the rule does not depend on "${key}"`)
  }
}

function takesEverything(input: RuleInput, rule: RoutingRule, context: Context): boolean {
  return conditionsOf(input, context).every((key) => {
    if (key === 'network') return rule.networks?.length === 2
    return key === 'port' && (rule.ports?.some(({ from, to }) => from <= 1 && to === 65535) ?? false)
  })
}

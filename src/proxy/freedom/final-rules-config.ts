/** `finalRules` of freedom: Xray's last word on the address that is dialled. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { object, openWord, ports, stringList, subtree, withoutEffect } from '../../schema/fields.ts'
import { rulePlace } from '../../schema/parts/rule-place.ts'
import { readIps, readRuleNetworks, readRulePorts } from '../../schema/parts/rule-targets.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { FinalRule } from '../../settings/final-rules.ts'

const actions = ['allow', 'block'] as const

const ruleSchema = object(() => ({
  action: openWord(actions, 'allow or block. Required.'),
  network: stringList('tcp, udp or both.'),
  port: ports('Ports that are dialled.'),
  ip: stringList('Addresses that are dialled: addresses, blocks, geoip:, ext:.'),
  blockDelay: withoutEffect(subtree('Seconds.'), 'what is refused ends at once'),
})).describe('A rule.')

export const finalRulesSchema = z
  .array(ruleSchema)
  .describe(
    'Rules on the addresses that are really dialled, those of names included; the first that matches wins, and what no ' +
      'rule matches is allowed.',
  )

/** Undefined where nothing is refused. */
export function readFinalRules(
  inputs: z.output<typeof finalRulesSchema>,
  context: Context,
): readonly FinalRule[] | undefined {
  const rules = inputs.flatMap((input) => readRule(input, context) ?? [])
  if (inputs.length > 0 && !rules.some((rule) => takesAll(rule) || namesPrivate(rule))) {
    const message =
      'no rule says what becomes of private addresses: they are allowed, and Xray refuses them to VMess users'
    const hint = 'write { "action": "block", "ip": ["geoip:private"] }, or { "action": "allow" } as the last one'
    context.report.warn('CFG123', context.report.at(inputs), message, hint)
  }
  if (rules[0] && takesAll(rules[0]) && rules[0].action === 'allow') return undefined
  return rules.some(({ action }) => action === 'block') ? rules : undefined
}

const takesAll = ({ ips, ports, networks }: FinalRule): boolean => !ips && !ports && !networks

const namesPrivate = ({ ips = [] }: FinalRule): boolean =>
  ips.some((ip) => ip.kind === 'list' && ip.code === 'PRIVATE' && !ip.not)

function readRule(input: z.output<typeof ruleSchema>, context: Context): FinalRule | undefined {
  const { report } = context
  const action = actions.find((word) => word === input.action?.toLowerCase())
  if (!action) {
    const place = report.at(input, 'action')
    if (input.action === undefined) {
      if (!report.wrote(input, 'action'))
        report.error('CFG024', place, 'this rule has no "action"; expected allow or block')
    } else {
      const message = `found ${JSON.stringify(shorten(input.action))}, expected ${oneOf(actions)}`
      report.error('CFG025', place, message, didYouMean(input.action, actions))
    }
  }
  const ips = readIps(input, 'ip', context)
  // Empty texts ask for nothing, as in Xray: a rule that blocks must not come to nothing by one.
  const ports = input.port === '' ? undefined : readRulePorts(input, 'port', context)
  const networks = input.network === '' ? undefined : readRuleNetworks(input, context)
  if (!action) return undefined
  return {
    ...rulePlace(report.at(input)),
    action,
    ...(ips && { ips }),
    ...(ports && { ports }),
    ...(networks && { networks }),
  }
}

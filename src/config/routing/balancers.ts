/** `balancers`: choices among outbounds. */
import { regexpFault } from '../../routing/regexps.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { BalancerConfig, BalancerStrategy, LoadSettings } from '../../settings/routing.ts'
import { readDuration } from './durations.ts'
import type { BalancerInput } from './schema.ts'
import { type Tags, tagHint } from './tags.ts'

const strategies = ['random', 'roundRobin', 'leastPing', 'leastLoad'] as const

/** Those that are complete. Of several with one tag the last has it, as with the peers. */
export function readBalancers(inputs: readonly BalancerInput[], tags: Tags, context: Context): BalancerConfig[] {
  const byTag = new Map<string, BalancerConfig>()
  for (const input of inputs) {
    const balancer = readBalancer(input, tags, context)
    if (!balancer) continue
    if (byTag.has(balancer.tag)) {
      const message = `a balancer before it has the tag ${JSON.stringify(shorten(balancer.tag))} too: this one is used`
      context.report.warn('CFG082', context.report.at(input, 'tag'), message)
    }
    byTag.set(balancer.tag, balancer)
  }
  return [...byTag.values()]
}

function readBalancer(input: BalancerInput, tags: Tags, context: Context): BalancerConfig | undefined {
  const { report } = context
  for (const key of ['tag', 'selector'] as const) {
    if (input[key]?.length || (report.wrote(input, key) && input[key] === undefined)) continue
    report.error('CFG024', report.at(input, key), `this balancer has no "${key}"`)
  }
  const strategy = strategyOf(input, tags, context)
  const { fallbackTag } = input
  if (fallbackTag && ![...tags.outbounds, ...tags.leftOut].includes(fallbackTag)) {
    const message = `no outbound has the tag ${JSON.stringify(shorten(fallbackTag))}`
    report.error('CFG121', report.at(input, 'fallbackTag'), message, tagHint(fallbackTag, tags.outbounds))
  }
  const selector = listOf(input.selector)
  const selected = (tag: string) => tag !== '' && selector.some((beginning) => tag.startsWith(beginning))
  const found = tags.outbounds.filter(selected)
  // With nothing left to choose among, the first outbound would be taken: what is not there blocks.
  const blocked = found.length === 0 ? tags.leftOut.find(selected) : undefined
  if (blocked !== undefined && !fallbackTag) {
    const message =
      'all outbounds that have a tag that begins so are left out: what this balancer is asked for is blocked'
    report.warn('CFG121', report.at(input, 'selector'), message)
  } else if (selector.length > 0 && found.length === 0) {
    const otherwise = fallbackTag ? 'the fallback is always taken' : 'the first outbound is always taken'
    const message = `no outbound has a tag that begins so: ${otherwise}`
    report.warn('CFG121', report.at(input, 'selector'), message, tagHint(selector[0]!, tags.outbounds))
  }
  if (!input.tag || selector.length === 0) return undefined
  const otherwise = fallbackTag || blocked
  return {
    tag: input.tag,
    selector,
    strategy,
    ...(otherwise && { fallbackTag: otherwise }),
    load: loadOf(input, context),
  }
}

function strategyOf({ strategy }: BalancerInput, { observed }: Tags, { report }: Context): BalancerStrategy {
  const word = strategy?.type ?? ''
  if (!strategy || word === '') return 'random'
  const place = report.at(strategy, 'type')
  const found = strategies.find((name) => name.toLowerCase() === word.toLowerCase())
  if (!found) {
    const message = `found ${JSON.stringify(shorten(word))}, expected ${oneOf(strategies)}`
    report.error('CFG025', place, message, didYouMean(word, strategies))
    return 'random'
  }
  if ((found === 'leastPing' || found === 'leastLoad') && !observed) {
    const hint = 'write "observatory": { "subjectSelector": [ "…" ] } beside "routing"'
    report.error('CFG031', place, `"${found}" needs measurements, and nothing measures outbounds`, hint)
  }
  return found
}

function loadOf({ strategy }: BalancerInput, context: Context): LoadSettings {
  const settings = strategy?.settings
  const { report } = context
  const place = (key: string) => report.at(settings!, key)
  const { expected = 0, baselines = [], maxRTT, tolerance, costs = [] } = settings ?? {}
  return {
    expected,
    baselinesMs: baselines.map((value) => readDuration(value, place('baselines'), 0, context)).sort((a, b) => a - b),
    maxRttMs: settings ? readDuration(maxRTT, place('maxRTT'), 0, context) : 0,
    tolerance: toleranceOf(tolerance),
    costs: costs.flatMap((cost) => {
      const { match = '', regexp = false, value } = cost
      const fault = regexp ? regexpFault(match) : undefined
      if (fault) report.error('CFG122', report.at(cost, 'match'), `${JSON.stringify(shorten(match))}: ${fault}`)
      return { match, regexp, value: numberOf(value) || 1 }
    }),
  }
}

const numberOf = (value: unknown): number => {
  const number = typeof value === 'object' && value && 'value' in value ? Number(value.value) : Number(value)
  return Number.isFinite(number) && number > 0 ? number : 0
}

const toleranceOf = (value: unknown): number => Math.min(1, numberOf(value))

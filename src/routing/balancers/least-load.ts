/** The outbounds whose answers vary least, as Xray counts it. */
import type { LoadSettings } from '../../settings/routing.ts'
import { regexpTest } from '../regexps.ts'
import type { Observation } from './observation.ts'

interface Node {
  readonly tag: string
  readonly all: number
  readonly fail: number
  readonly average: number
  /** Deviation as it counts, with what the outbound costs. */
  readonly load: number
}

/** Those to choose among, best first; perhaps none. */
export function leastLoaded(seen: readonly Observation[], settings: LoadSettings): readonly string[] {
  const nodes = seen.filter((one) => qualifies(one, settings)).map((one) => nodeOf(one, settings))
  nodes.sort(
    (a, b) => a.load - b.load || a.average - b.average || a.fail - b.fail || b.all - a.all || (a.tag < b.tag ? -1 : 1),
  )
  return nodes.slice(0, countOf(nodes, settings)).map(({ tag }) => tag)
}

function qualifies({ alive, delayMs, samples }: Observation, { maxRttMs, tolerance }: LoadSettings): boolean {
  if (!alive || (maxRttMs > 0 && delayMs >= maxRttMs)) return false
  return !(samples && samples.all > 0 && tolerance > 0 && samples.fail / samples.all > tolerance)
}

function nodeOf({ tag, delayMs, samples }: Observation, settings: LoadSettings): Node {
  const { all, fail, average, deviation } = samples ?? { all: 1, fail: 1, average: delayMs, deviation: delayMs }
  return { tag, all, fail, average, load: deviation * Math.sqrt(costOf(tag, settings)) }
}

function costOf(tag: string, { costs }: LoadSettings): number {
  const cost = costs.find(({ match, regexp }) => (regexp ? regexpTest(match)(tag) : tag.includes(match)))
  return cost?.value ?? 1
}

/** As many as are expected, and those near them by the first baseline under which there are enough. */
function countOf(nodes: readonly Node[], { expected, baselinesMs }: LoadSettings): number {
  if (expected > nodes.length) return nodes.length
  const wanted = Math.max(1, expected)
  if (baselinesMs.length === 0) return wanted
  let count = 0
  for (const baseline of baselinesMs) {
    while (count < nodes.length && nodes[count]!.load < baseline) count++
    if (count >= wanted) break
  }
  return expected > 0 ? Math.max(count, expected) : count
}

/** All recorded cases of rules: test/vectors/routing.json says which programs were asked, and what ours is to do. */
import { describe, expect, test } from 'vitest'
import { RegexpSet, regexpFault } from '../../src/routing/regexps.ts'
import vectors from '../vectors/routing.json' with { type: 'json' }
import { type Case, configOf, evaluate, filesOf, Router, sessionOf } from './evaluate.ts'

interface Group {
  readonly id: string
  readonly routing: unknown
  readonly cases: readonly (Case & { readonly want: unknown; readonly wantOptional?: boolean })[]
  readonly assets?: string
  readonly dns?: { readonly hosts?: Record<string, string | string[]> }
  readonly outbounds?: readonly string[]
  readonly observatory?: object
  readonly sniffing?: object | null
  readonly env?: Record<string, string>
}

/** Where ours does what the issue says instead of what the file says. */
const exceptions: Readonly<Record<string, string>> = {
  // A rule to an outbound that does not exist warns, and blocks.
  'tag-case': 'closed',
}

const plain = ['D', 'A', 'B', 'C', 'E', 'F', 'G', 'H', 'I', 'J']

async function outcomeOf(group: Group, given: Case): Promise<string> {
  const tags = group.outbounds ?? plain
  const { config, problems } = configOf(group.routing, {
    outbounds: tags.map((tag) => ({ tag, protocol: 'blackhole' })),
    ...(group.sniffing !== undefined && { sniffing: group.sniffing }),
    ...(group.observatory && { observatory: group.observatory }),
    ...(group.env && { env: group.env }),
  })
  if (!config || problems.length > 0) return 'error'
  if (!config.routing) return tags[0]!
  let router: Router
  try {
    router = new Router(config.routing, { lists: filesOf(group.assets ? {} : vectors.files) })
  } catch {
    return 'error'
  }
  const rule = await evaluate(router, sessionOf(given, config), group.dns?.hosts ?? {})
  if (rule?.balancerTag !== undefined) return `balancer ${rule.balancerTag}`
  if (!rule) return tags[0]!
  return tags.includes(rule.outboundTag ?? '') ? rule.outboundTag! : 'closed'
}

describe('recorded cases', () => {
  const groups = (vectors.groups as readonly unknown[] as readonly Group[]).filter(({ id }) => !id.startsWith('bal-'))
  test.each(groups.map((group) => [group.id, group] as const))('%s', async (id, group) => {
    for (const given of group.cases) {
      const want = exceptions[id] ?? given.want
      // The inbound refuses such a name: test/inbounds has these.
      if (want === 'closed' && id !== 'tag-unknown' && exceptions[id] === undefined) continue
      const found = await outcomeOf(group, given)
      if (given.wantOptional && found === 'error') continue
      expect({ ...given, found }).toEqual({ ...given, found: want })
    }
  })
})

describe('expressions', () => {
  const { inputs, patterns } = vectors.regexp
  test.each(patterns)('$pattern', ({ pattern, ok, matches }) => {
    expect(regexpFault(pattern) === undefined).toBe(ok)
    if (!ok) return
    const set = new RegexpSet()
    set.add('never-in-any-of-them', 0)
    set.add(pattern, 1)
    const found = inputs.flatMap((input, i) => {
      let hit = false
      set.match(input, (id) => {
        hit ||= id === 1
      })
      return hit ? i : []
    })
    expect(found).toEqual(matches)
  })
})

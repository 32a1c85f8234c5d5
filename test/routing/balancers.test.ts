/** Balancers by the recorded cases, and over members that die and come back. */
import { describe, expect, it, test } from 'vitest'
import { Burst } from '../../src/app/routing/burst.ts'
import { Observatory } from '../../src/app/routing/observatory.ts'
import type { Outbound } from '../../src/core/dialer.ts'
import { Balancer } from '../../src/routing/balancers/balancer.ts'
import { deadMs, type Observe } from '../../src/routing/balancers/observation.ts'
import { SampleWindow } from '../../src/routing/balancers/samples.ts'
import type { BalancerConfig } from '../../src/settings/routing.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import vectors from '../vectors/routing.json' with { type: 'json' }
import { configOf } from './evaluate.ts'

interface Group {
  readonly id: string
  readonly routing: unknown
  readonly outbounds?: readonly string[]
  readonly observatory?: object
  readonly cases: readonly { readonly want: string | { oneOf?: readonly string[]; sequence?: readonly string[] } }[]
}

const plain = ['D', 'A', 'B', 'C', 'E', 'F', 'G', 'H', 'I', 'J']
const unseen: Observe = () => undefined
const random = fakeRandom(7)
const below = (limit: number) => random.below(limit)

describe('recorded cases', () => {
  const groups = (vectors.groups as readonly unknown[] as readonly Group[]).filter(({ id }) => id.startsWith('bal-'))
  test.each(groups.map((group) => [group.id, group] as const))('%s', (_id, group) => {
    const tags = group.outbounds ?? plain
    const { config, problems } = configOf(group.routing, {
      outbounds: tags.map((tag) => ({ tag, protocol: 'blackhole' })),
      ...(group.observatory && { observatory: group.observatory }),
    })
    const [{ want }] = group.cases as [Group['cases'][number]]
    if (want === 'error') {
      expect(problems).not.toEqual([])
      return
    }
    expect(problems).toEqual([])
    const balancer = new Balancer(config!.routing!.balancers[0]!, { random: below, observe: unseen })
    const picks = Array.from({ length: 40 }, () => balancer.pick(tags) ?? tags[0]!)
    if (typeof want === 'string') expect(new Set(picks)).toEqual(new Set([want]))
    else if (want.sequence) expect(picks.slice(0, want.sequence.length)).toEqual(want.sequence)
    else expect([...new Set(picks)].sort()).toEqual([...want.oneOf!].sort())
  })
})

const balancerOf = (strategy: BalancerConfig['strategy'], observe: Observe, rest: Partial<BalancerConfig> = {}) =>
  new Balancer(
    {
      tag: 'b',
      selector: ['p-'],
      strategy,
      fallbackTag: 'fb',
      load: { expected: 0, baselinesMs: [], maxRttMs: 0, tolerance: 0, costs: [] },
      ...rest,
    },
    { random: below, observe },
  )

/** Outbounds whose probes answer after some time, or (undefined) not at all. */
function world(answers: Record<string, number | undefined>) {
  const clock = fakeClock(1_000_000)
  const outbounds = Object.keys(answers).map((tag) => ({ tag }) as Outbound)
  const asked: string[] = []
  const probe = async (outbound: Outbound | undefined) => {
    asked.push(outbound?.tag ?? 'directly')
    const ms = answers[outbound?.tag ?? 'directly']
    if (ms === undefined) throw new Error('no answer')
    return ms
  }
  return { clock, asked, deps: { clock, random: fakeRandom(3), outbounds: () => outbounds, probe } }
}

const turn = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

describe('observatory', () => {
  const config = { selector: ['p-'], url: 'http://a.example/', intervalMs: 10_000, concurrent: true }

  it.each([
    'leastPing',
    'leastLoad',
    'random',
    'roundRobin',
  ] as const)('%s leaves a member that dies and takes it back when it lives again', async (strategy) => {
    const answers: Record<string, number | undefined> = { 'p-near': 5, 'p-far': 150, other: 1 }
    const { clock, deps } = world(answers)
    const observatory = new Observatory(config, deps)
    const balancer = balancerOf(strategy, (tag) => observatory.observe(tag))
    const picks = () => new Set(Array.from({ length: 40 }, () => balancer.pick(Object.keys(answers))))
    const known = strategy === 'leastPing' || strategy === 'leastLoad'
    expect(picks()).toEqual(new Set(known ? ['fb'] : ['p-near', 'p-far']))
    observatory.start()
    await turn()
    expect(picks()).toEqual(new Set(known ? ['p-near'] : ['p-near', 'p-far']))
    answers['p-near'] = undefined
    clock.advance(10_000)
    await turn()
    expect(picks()).toEqual(new Set(['p-far']))
    expect(observatory.observe('p-near')).toMatchObject({ alive: false, delayMs: deadMs, lastSeen: 1_000_000 })
    answers['p-far'] = undefined
    clock.advance(10_000)
    await turn()
    expect(picks()).toEqual(new Set(['fb']))
    answers['p-near'] = 7
    clock.advance(10_000)
    await turn()
    expect(picks()).toEqual(new Set(['p-near']))
    observatory.stop()
    expect(clock.pending).toBe(0)
  })

  it('measures one after the other unless told otherwise', async () => {
    const { clock, deps, asked } = world({ 'p-1': 1, 'p-2': 1 })
    const observatory = new Observatory({ ...config, concurrent: false }, deps)
    observatory.start()
    await turn()
    expect(asked).toEqual(['p-1'])
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000)
      await turn()
    }
    expect(asked).toEqual(['p-1', 'p-2', 'p-1', 'p-2'])
    expect(observatory.all().map(({ tag }) => tag)).toEqual(['p-1', 'p-2'])
    observatory.stop()
  })
})

describe('burstObservatory', () => {
  const config = {
    selector: ['p-'],
    url: 'http://a.example/',
    connectivity: '',
    intervalMs: 10_000,
    sampling: 4,
    timeoutMs: 5_000,
    method: 'HEAD',
  }

  it('asks each outbound at once and then as often as it says in each period', async () => {
    const { clock, deps, asked } = world({ 'p-1': 20, 'p-2': undefined })
    const burst = new Burst(config, deps)
    burst.start()
    await turn()
    expect(asked).toEqual(['p-1', 'p-2'])
    for (let i = 0; i < 40; i++) {
      clock.advance(1_000)
      await turn()
    }
    expect(asked.filter((tag) => tag === 'p-1')).toHaveLength(5)
    expect(burst.observe('p-1')).toMatchObject({ alive: true, delayMs: 20, samples: { fail: 0, deviation: 0 } })
    expect(burst.observe('p-2')).toMatchObject({ alive: false, delayMs: 0 })
    burst.stop()
    expect(clock.pending).toBe(0)
  })

  it('counts nothing while this machine has no network itself', async () => {
    const answers: Record<string, number | undefined> = { 'p-1': undefined }
    const { deps } = world(answers)
    const burst = new Burst({ ...config, connectivity: 'http://b.example/' }, deps)
    burst.start()
    await turn()
    expect(burst.observe('p-1')).toBeUndefined()
    answers.directly = 1
    burst.stop()
    burst.start()
    await turn()
    expect(burst.observe('p-1')).toMatchObject({ alive: false })
    burst.stop()
  })
})

describe('samples', () => {
  it('of a single one deviate by half of it; expire; and are not more than so many', () => {
    const window = new SampleWindow(2, 1_000)
    window.add(0, 100)
    expect(window.statistics(0)).toEqual({ all: 1, fail: 0, deviation: 50, average: 100, max: 100, min: 100 })
    window.add(500, 300)
    expect(window.statistics(500)).toEqual({ all: 2, fail: 0, deviation: 100, average: 200, max: 300, min: 100 })
    window.add(600, undefined)
    expect(window.statistics(600)).toMatchObject({ all: 2, fail: 1, average: 300 })
    expect(window.statistics(1_700)).toMatchObject({ all: 0 })
  })
})

describe('leastLoad', () => {
  const seen = (deviations: Readonly<Record<string, number>>): Observe => {
    return (tag) => {
      const deviation = deviations[tag]
      if (deviation === undefined) return undefined
      const samples = { all: 10, fail: tag === 'p-flaky' ? 3 : 0, deviation, average: 10, max: 10, min: 10 }
      return { tag, alive: true, delayMs: deviation, reason: '', lastSeen: 0, lastTry: 0, samples }
    }
  }
  const all = { 'p-a': 10, 'p-b': 20, 'p-c': 300, 'p-flaky': 1 }
  const loaded = (load: Partial<BalancerConfig['load']>) =>
    balancerOf('leastLoad', seen(all), {
      load: { expected: 0, baselinesMs: [], maxRttMs: 0, tolerance: 0, costs: [], ...load },
    }).principle(Object.keys(all))

  it.each([
    [{}, ['p-flaky']],
    [{ tolerance: 0.2 }, ['p-a']],
    [{ tolerance: 0.2, expected: 2 }, ['p-a', 'p-b']],
    [{ expected: 9 }, ['p-flaky', 'p-a', 'p-b', 'p-c']],
    [{ baselinesMs: [15, 100] }, ['p-flaky', 'p-a']],
    [{ baselinesMs: [0.5] }, []],
    [{ baselinesMs: [15, 100], expected: 3 }, ['p-flaky', 'p-a', 'p-b']],
    [{ maxRttMs: 20, expected: 9 }, ['p-flaky', 'p-a']],
    [{ costs: [{ match: 'flaky', regexp: false, value: 1e6 }] }, ['p-a']],
    [{ costs: [{ match: '^p-[af]', regexp: true, value: 1e6 }] }, ['p-b']],
  ])('%j', (load, expected) => {
    expect(loaded(load)).toEqual(expected)
  })
})

describe('an override', () => {
  it('wins over everything until it is taken back', () => {
    const balancer = balancerOf('random', unseen)
    balancer.override = 'anything'
    expect(balancer.pick([])).toBe('anything')
    balancer.override = undefined
    expect(balancer.pick([])).toBe('fb')
    expect(balancer.principle(['p-2', 'p-1', 'x'])).toEqual(['p-1', 'p-2'])
  })
})

import { describe, expect, it } from 'vitest'
import type { Random } from '../../core/env.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { BackOff } from './back-off.ts'

const noJitter: Random = { fill: (bytes) => bytes, below: () => 0 }
const most: Random = { fill: (bytes) => bytes, below: (limit) => limit - 1 }

const setUp = (random = noJitter) => {
  const clock = fakeClock(1_000_000)
  return { clock, backOff: new BackOff({ clock, random }) }
}

describe('BackOff', () => {
  it('waits 1 s after the first failure, then twice as long each time up to 60 s', () => {
    const { clock, backOff } = setUp()
    const waits = Array.from({ length: 9 }, () => {
      backOff.begin().failed()
      const wait = backOff.waitMs
      clock.advance(wait - 1)
      expect(backOff.waitMs).toBe(1)
      clock.advance(1)
      expect(backOff.waitMs).toBe(0)
      return wait / 1000
    })
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('starts over after a success', () => {
    const { clock, backOff } = setUp()
    for (let i = 0; i < 5; i++) {
      backOff.begin().failed()
      clock.advance(backOff.waitMs)
    }
    backOff.reset()
    expect(backOff.waitMs).toBe(0)
    backOff.begin().failed()
    expect(backOff.waitMs).toBe(1000)
  })

  it('shortens a pause by a quarter at most', () => {
    const { backOff } = setUp(most)
    backOff.begin().failed()
    expect(backOff.waitMs).toBe(751)
    const waits = Array.from({ length: 50 }, (_, seed) => {
      const one = setUp(fakeRandom(seed)).backOff
      one.begin().failed()
      return one.waitMs
    })
    expect(Math.min(...waits)).toBeGreaterThan(750)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000)
    expect(new Set(waits).size).toBeGreaterThan(20)
  })

  it('counts attempts that ran side by side once', () => {
    const { clock, backOff } = setUp()
    const attempts = Array.from({ length: 20 }, () => backOff.begin())
    for (const attempt of attempts) attempt.failed()
    expect(backOff.waitMs).toBe(1000)
    clock.advance(1000)
    backOff.begin().failed()
    expect(backOff.waitMs).toBe(2000)
  })

  it('does not count attempts made before their time', () => {
    const { clock, backOff } = setUp()
    backOff.begin().failed()
    clock.advance(400)
    for (let i = 0; i < 10; i++) backOff.begin().failed()
    expect(backOff.waitMs).toBe(600)
  })

  it('sends one attempt ahead once a pause is over', () => {
    const { clock, backOff } = setUp()
    backOff.begin().failed()
    clock.advance(1000)
    const first = backOff.begin()
    expect(backOff.waitMs).toBe(4000)
    first.failed()
    expect(backOff.waitMs).toBe(2000)
    clock.advance(2000)
    backOff.begin().undecided()
    expect(backOff.waitMs).toBe(0)
    backOff.begin().failed()
    expect(backOff.waitMs).toBe(4000)
  })

  it('lets an undecided attempt change nothing when nothing had failed', () => {
    const { backOff } = setUp()
    backOff.begin().undecided()
    expect(backOff.waitMs).toBe(0)
  })

  it('goes by the time that passes, whatever the wall clock is set to', () => {
    const { clock, backOff } = setUp()
    backOff.begin().failed()
    const { waitMs } = backOff
    clock.set(clock.now() - 3_600_000)
    expect(backOff.waitMs).toBe(waitMs)
    clock.advance(waitMs)
    expect(backOff.waitMs).toBe(0)
  })
})

import { expect, it } from 'vitest'
import { fakeClock } from '../../testing/fakes.ts'
import { limits } from '../limits.ts'
import { inSlices, mapInSlices } from './slices.ts'

it('pauses whenever the work has taken long enough, and loses nothing', async () => {
  const clock = fakeClock(0)
  const done: number[] = []
  const things = Array.from({ length: 1000 }, (_, i) => i)
  let longest = 0
  let since = 0
  const all = inSlices(clock, things, (thing) => {
    done.push(thing)
    // Each takes a tenth of a millisecond.
    if (thing % 10 === 0) clock.advance(1)
    longest = Math.max(longest, clock.now() - since)
  })
  let pauses = 0
  while (done.length < things.length) {
    expect(clock.pending).toBe(1)
    pauses++
    since = clock.now()
    clock.advance(0)
    await Promise.resolve()
    await Promise.resolve()
  }
  await all
  expect(done).toEqual(things)
  expect(pauses).toBeGreaterThan(10)
  expect(longest).toBeLessThan(limits.sliceMs + 5)
})

it('does what is little at once', async () => {
  const clock = fakeClock(0)
  expect(await mapInSlices(clock, [1, 2, 3], (n) => n * 2)).toEqual([2, 4, 6])
  expect(clock.pending).toBe(0)
})

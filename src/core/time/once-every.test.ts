import { expect, it } from 'vitest'
import { fakeClock } from '../../testing/fakes.ts'
import { onceEvery } from './once-every.ts'

function fixture() {
  const clock = fakeClock(1_000_000)
  return { due: onceEvery(clock, 60_000), clock, advance: clock.advance }
}

it('is due once per key and period', () => {
  const { due, advance } = fixture()
  expect([due('a'), due('a'), due('b'), due('b')]).toEqual([true, false, true, false])
  advance(59_999)
  expect(due('a')).toBe(false)
  advance(1)
  expect([due('a'), due('a')]).toEqual([true, false])
})

it('goes by the time that passes, whatever the wall clock is set to', () => {
  const { due, clock } = fixture()
  due('a')
  clock.set(10_000_000)
  expect(due('a')).toBe(false)
  clock.set(0)
  clock.advance(60_000)
  expect(due('a')).toBe(true)
})

it('forgets the oldest keys of a flood, not the newest', () => {
  const { due } = fixture()
  for (let i = 0; i < 10_000; i++) due(`key ${i}`)
  expect(due('key 9999')).toBe(false)
  expect(due('key 0')).toBe(true)
})

import { expect, it } from 'vitest'
import { onceEvery } from './once-every.ts'

function fixture() {
  let now = 1_000_000
  const due = onceEvery({ now: () => now, after: () => () => {} }, 60_000)
  return { due, advance: (ms: number) => (now += ms) }
}

it('is due once per key and period', () => {
  const { due, advance } = fixture()
  expect([due('a'), due('a'), due('b'), due('b')]).toEqual([true, false, true, false])
  advance(59_999)
  expect(due('a')).toBe(false)
  advance(1)
  expect([due('a'), due('a')]).toEqual([true, false])
})

it('is due again when the clock was set back', () => {
  const { due, advance } = fixture()
  due('a')
  advance(-3_600_000)
  expect(due('a')).toBe(true)
})

it('forgets the oldest keys of a flood, not the newest', () => {
  const { due } = fixture()
  for (let i = 0; i < 10_000; i++) due(`key ${i}`)
  expect(due('key 9999')).toBe(false)
  expect(due('key 0')).toBe(true)
})

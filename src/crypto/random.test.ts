import { expect, it } from 'vitest'
import { systemRandom } from './random.ts'

it('fills the whole array, of any length, and never the same way twice', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    const bytes = systemRandom.fill(new Uint8Array(16))
    seen.add(Buffer.from(bytes).toString('hex'))
  }
  expect(seen.size).toBe(2000)
  for (const length of [0, 255, 256, 257, 5000]) {
    // A byte that no run of twenty touched was not filled.
    const touched = new Uint8Array(length)
    for (let run = 0; run < 20; run++) {
      const bytes = systemRandom.fill(new Uint8Array(length))
      for (let i = 0; i < length; i++) touched[i]! |= bytes[i]!
    }
    expect(touched.every((byte) => byte !== 0)).toBe(true)
  }
})

it('returns the array it was given', () => {
  const bytes = new Uint8Array(3)
  expect(systemRandom.fill(bytes)).toBe(bytes)
})

it('draws every number below the limit, and none else', () => {
  const seen = new Set<number>()
  for (let i = 0; i < 2000; i++) seen.add(systemRandom.below(10))
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(systemRandom.below(1)).toBe(0)
  for (let i = 0; i < 100; i++) expect(systemRandom.below(2 ** 31)).toBeLessThan(2 ** 31)
})

it.each([0, -1, 1.5, 2 ** 31 + 1, Number.NaN])('refuses the limit %f', (limit) => {
  expect(() => systemRandom.below(limit)).toThrow(RangeError)
})

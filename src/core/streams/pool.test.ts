import { expect, it } from 'vitest'
import { takeBuffer } from './pool.ts'

it('lends a buffer again that was given back, and never to two', () => {
  for (const size of [1, 5000, 30_000, 100_000, 300_000]) {
    const first = takeBuffer(size)
    expect(first.bytes.length).toBeGreaterThanOrEqual(size)
    first.release()
    first.release()
    const again = [takeBuffer(size), takeBuffer(size)]
    // Compared by identity alone: a matcher would look at every byte.
    expect(again.map(({ bytes }) => bytes === first.bytes)).toEqual([true, false])
    for (const { release } of again) release()
  }
})

it('keeps nothing that is larger than what one batch needs', () => {
  const huge = takeBuffer(10_000_000)
  huge.release()
  expect(takeBuffer(10_000_000).bytes === huge.bytes).toBe(false)
})

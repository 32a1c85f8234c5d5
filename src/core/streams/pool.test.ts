import { expect, it } from 'vitest'
import { type Pooled, takeBuffer } from './pool.ts'

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

it('takes a lent buffer back when the sink returns, throws, or is done with what it kept', () => {
  const pooled = takeBuffer(100)
  const isFree = (): boolean => {
    const next = takeBuffer(100)
    next.release()
    return next.bytes === pooled.bytes
  }
  pooled.lend(10, ({ length, buffer }) => expect([length, buffer === pooled.bytes.buffer]).toEqual([10, true]))
  expect(isFree()).toBe(true)

  expect(() =>
    takeBuffer(100).lend(10, () => {
      throw new Error('sink')
    }),
  ).toThrow('sink')
  expect(isFree()).toBe(true)

  let release: (() => void) | undefined
  takeBuffer(100).lend(10, (_lent, keep) => {
    release = keep!()
  })
  expect(isFree()).toBe(false)
  release!()
  expect(isFree()).toBe(true)
})

it('does not take from the next who has a buffer that a sink kept and gave back before it returned', () => {
  const first = takeBuffer(100)
  let next: Pooled | undefined
  first.lend(10, (_lent, keep) => {
    keep!()()
    next = takeBuffer(100)
  })
  expect(next!.bytes === first.bytes).toBe(true)
  const other = takeBuffer(100)
  expect(other.bytes === first.bytes).toBe(false)
  other.release()
  next!.release()
})

it('keeps nothing that is larger than what one batch needs', () => {
  const huge = takeBuffer(10_000_000)
  huge.release()
  expect(takeBuffer(10_000_000).bytes === huge.bytes).toBe(false)
})

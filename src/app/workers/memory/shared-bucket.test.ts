import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OwnBucket } from '../../../account/bucket.ts'
import { bucketMemory, SharedBucket } from './shared-bucket.ts'

function rig(threads: number) {
  let now = 0
  const memory = bucketMemory(threads)
  const elapsed = () => now
  const buckets = Array.from({ length: threads }, (_, who) => new SharedBucket(memory, who, elapsed))
  return { buckets, elapsed, pass: (ms: number) => (now += ms) }
}

const rate = 1_000
const capacity = 100_000

it('with one thread is as a bucket of its own', () => {
  const step = fc.record({ ms: fc.nat(200), amount: fc.nat(120_000), waiting: fc.nat(2), debt: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { buckets, elapsed, pass } = rig(1)
      const own = new OwnBucket(elapsed)
      for (const { ms, amount, waiting, debt } of steps) {
        pass(ms)
        own.fill(rate, capacity)
        buckets[0]!.fill(rate, capacity, waiting)
        // While somebody waits, what is left over beside a full share is kept too.
        if (buckets[0]!.credit !== own.credit) return
        const least = debt ? -10_000 : amount
        expect(buckets[0]!.take(amount, least)).toBe(own.take(amount, least))
      }
    }),
  )
})

it('gives all threads together no more than the rate, and each its part by who waits there', () => {
  const { buckets, pass } = rig(3)
  const waiting = [1, 3, 0]
  const taken = [0, 0, 0]
  for (const [i, bucket] of buckets.entries()) bucket.fill(rate, capacity, waiting[i]!)
  for (let ms = 0; ms < 10_000; ms++) {
    pass(1)
    for (const [i, bucket] of buckets.entries()) {
      bucket.fill(rate, capacity, waiting[i]!)
      while (waiting[i]! > 0 && bucket.take(4_000, 4_000)) taken[i]! += 4_000
    }
  }
  expect(taken[0]! + taken[1]!).toBeGreaterThan(9_980 * rate)
  expect(taken[0]! + taken[1]!).toBeLessThanOrEqual(10_000 * rate)
  expect(taken[1]! / taken[0]!).toBeCloseTo(3, 1)
})

it('leaves what a thread had to the others when it has ended', () => {
  const { buckets, pass } = rig(2)
  buckets[0]!.fill(rate, capacity, 1)
  buckets[1]!.fill(rate, capacity, 1)
  pass(40)
  buckets[0]!.fill(rate, capacity, 1)
  expect(buckets[0]!.credit).toBe(20_000)
  buckets[0]!.forget(1)
  expect(buckets[0]!.credit).toBe(40_000)
  expect(buckets[0]!.share).toBe(1)
})

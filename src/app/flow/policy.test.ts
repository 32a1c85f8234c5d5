import { describe, expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { defaultPolicy, defaultSystemPolicy, type PolicyConfig } from '../../settings/model.ts'
import { flowTerms, readSize } from './policy.ts'

const KiB = 1024
const chunk = 16_368

const policyWith = (...sizes: number[]): PolicyConfig => ({
  levels: new Map(sizes.map((bufferSize, level) => [level, { ...defaultPolicy, bufferSize }])),
  system: defaultSystemPolicy,
})

describe('readSize', () => {
  it('is half of the smallest buffer in whole chunks, one at least, and no more than the shared buffer', () => {
    expect(readSize(policyWith())).toBe(limits.sharedReadBuffer)
    expect(readSize(policyWith(512 * KiB, Number.POSITIVE_INFINITY))).toBe(limits.sharedReadBuffer)
    expect(readSize(policyWith(512 * KiB, 64 * KiB))).toBe(2 * chunk)
    expect(readSize(policyWith(256 * KiB))).toBe(8 * chunk)
    expect(readSize(policyWith(16 * KiB))).toBe(chunk)
    expect(readSize(policyWith(0))).toBe(chunk)
  })
})

const heldAtMost = (policy: PolicyConfig, near: number, far: number) => flowTerms(policy, near, far).heldAtMost

describe('heldAtMost', () => {
  it('leaves room for one more read', () => {
    const policy = policyWith(64 * KiB, 512 * KiB, Number.POSITIVE_INFINITY, 0)
    expect([0, 1, 2, 3, 4].map((level) => heldAtMost(policy, level, 0))).toEqual([
      64 * KiB - chunk,
      512 * KiB - chunk,
      Number.POSITIVE_INFINITY,
      0,
      512 * KiB - chunk,
    ])
    expect([heldAtMost(policy, 1, 3), heldAtMost(policy, 3, 1), heldAtMost(policy, 2, 1)]).toEqual([
      0,
      0,
      512 * KiB - chunk,
    ])
    expect(heldAtMost(policyWith(), 0, 0) + limits.sharedReadBuffer).toBe(defaultPolicy.bufferSize)
  })
})

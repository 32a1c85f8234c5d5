import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ReplayMemory } from '../../../protocol/vmess/replay.ts'
import { createTable, ExpiringTable } from './expiring-table.ts'
import { SharedReplay } from './replay.ts'

const startS = 1_700_000_000

const step = fc.oneof(
  fc.record({ what: fc.constantFrom('seen', 'remember'), key: fc.nat(40), skew: fc.integer({ min: -120, max: 120 }) }),
  fc.record({ what: fc.constant('wait'), key: fc.nat(90), skew: fc.constant(0) }),
)

it('answers as the memory of one thread does, whichever of the threads is asked', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 3, max: 30 }), (steps, capacity) => {
      let nowS = startS
      const clock = { now: () => nowS * 1000 }
      const table = createTable(4, capacity + 1, startS, 99)
      const threads = [new SharedReplay(clock, table, 0), new SharedReplay(clock, table, 1)]
      const model = new ReplayMemory(clock, capacity + 1)
      const key = new Uint8Array(16)
      for (const [i, { what, key: number, skew }] of steps.entries()) {
        if (what === 'wait') nowS += number
        else {
          key[3] = number
          const shared = threads[i % 2]!
          const call = what === 'seen' ? 'seen' : 'remember'
          // Where there is no room the shared table makes some before it takes one in, so it may refuse sooner: never later.
          const [mine, others] = [shared[call](key, nowS + skew), model[call](key, nowS + skew)]
          if (new ExpiringTable(table, 2).size < capacity && model.size < capacity) expect(mine).toBe(others)
          else return
        }
      }
    }),
    { numRuns: 300 },
  )
})

it('forgets what expires first when it is full, and takes everything of that time and before for seen', () => {
  const table = new ExpiringTable(createTable(1, 3, startS, 5), 0)
  const key = (n: number) => Int32Array.of(n)
  for (const n of [1, 2, 3]) expect(table.add(key(n), startS + n, startS + n + 120, startS)).toBe(true)
  expect(table.add(key(4), startS + 4, startS + 124, startS)).toBe(true)
  expect([1, 2, 3, 4].map((n) => table.has(key(n), startS + n, startS))).toEqual([true, true, true, true])
  expect(table.add(key(5), startS + 1, startS + 121, startS)).toBe(false)
  expect(table.size).toBe(3)
})

it('uses again what has expired', () => {
  const table = new ExpiringTable(createTable(1, 2, startS, 5), 0)
  for (let round = 0; round < 50; round++) {
    const nowS = startS + round * 200
    expect(table.add(Int32Array.of(1), nowS, nowS + 120, nowS)).toBe(true)
    expect(table.add(Int32Array.of(1), nowS, nowS + 120, nowS)).toBe(false)
    expect(table.add(Int32Array.of(2), nowS, nowS + 120, nowS)).toBe(true)
  }
})

it('goes on when the clock is set back by hours', () => {
  const table = new ExpiringTable(createTable(1, 8, startS, 5), 0)
  expect(table.add(Int32Array.of(1), startS, startS + 120, startS)).toBe(true)
  const before = startS - 7_168
  expect(table.add(Int32Array.of(2), before, before + 120, before)).toBe(true)
  expect(table.add(Int32Array.of(2), before, before + 120, before)).toBe(false)
  expect(table.add(Int32Array.of(3), before + 1, before + 121, before + 1)).toBe(true)
})

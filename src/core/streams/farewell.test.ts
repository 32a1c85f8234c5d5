import { expect, it } from 'vitest'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { limits } from '../limits.ts'
import { farewell } from './farewell.ts'

it('says the last words, reads on until the peer ends, and destroys', async () => {
  const clock = fakeClock(0)
  const [a, b] = memoryPair()
  const parting = farewell(a, clock, Uint8Array.of(1, 2))
  expect(await b.read()).toEqual(Uint8Array.of(1, 2))
  expect(await b.read()).toBeNull()
  await b.write(new Uint8Array(300_000))
  expect(a.gone).toBeUndefined()
  b.closeWrite()
  await parting
  expect(a.gone).toBeDefined()
  expect(clock.pending).toBe(0)
})

it('does not wait longer than its limit for a peer that stays', async () => {
  const clock = fakeClock(0)
  const [a] = memoryPair()
  const parting = farewell(a, clock)
  await new Promise((resolve) => setImmediate(resolve)) // what it says is out; now the wait begins
  clock.advance(limits.lingerMs - 1)
  expect(a.gone).toBeUndefined()
  clock.advance(1)
  await parting
  expect(a.gone).toBeDefined()
})

it('also ends when the peer takes nothing, and when it is already gone', async () => {
  const clock = fakeClock(0)
  const [a] = memoryPair({ highWater: 1 })
  const parting = farewell(a, clock, new Uint8Array(10))
  clock.advance(limits.flushMs - 1)
  expect(a.gone).toBeUndefined()
  clock.advance(1)
  await parting
  const [c, d] = memoryPair()
  d.destroy()
  await farewell(c, clock, Uint8Array.of(1))
  expect(clock.pending).toBe(0)
})

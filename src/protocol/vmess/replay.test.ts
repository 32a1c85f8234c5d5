import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../testing/fakes.ts'
import { ReplayMemory, SessionHistory } from './replay.ts'

const startS = 1_700_000_000
const bytes = (n: number): Uint8Array => {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(5, n)
  return id
}

describe('ReplayMemory', () => {
  it('keeps an entry until its own time is out of the window, and no longer', () => {
    for (const offset of [-120, -7, 0, 7, 120]) {
      const clock = fakeClock(startS * 1000)
      const memory = new ReplayMemory(clock)
      expect(memory.seen(bytes(1), startS + offset)).toBe(false)
      memory.remember(bytes(1), startS + offset)
      memory.remember(bytes(1), startS + offset)
      expect(memory.size).toBe(1)
      clock.advance((120 + offset) * 1000 + 999)
      expect(memory.seen(bytes(1), startS + offset)).toBe(true)
      expect(memory.size).toBe(1)
      clock.advance(1)
      expect(memory.size).toBe(0)
    }
  })

  it('is exact: of 100,000 others none was seen', () => {
    const memory = new ReplayMemory(fakeClock(startS * 1000))
    for (let n = 0; n < 100_000; n++) memory.remember(bytes(n), startS + (n % 241) - 120)
    for (let n = 0; n < 100_000; n++) {
      if (!memory.seen(bytes(n), startS + (n % 241) - 120)) throw new Error(`${n} was forgotten`)
    }
    for (let n = 100_000; n < 200_000; n++) if (memory.seen(bytes(n), startS)) throw new Error(`${n} was never there`)
  })

  it('narrows its window when full: no replay passes, and memory stays bounded', () => {
    const clock = fakeClock(startS * 1000)
    const memory = new ReplayMemory(clock, 100)
    const given: [Uint8Array, number][] = []
    for (let n = 0; n < 1000; n++) {
      const timeS = startS - 100 + (n % 200)
      const id = bytes(n)
      if (!memory.seen(id, timeS)) given.push([id, timeS])
      memory.remember(id, timeS)
      expect(memory.size).toBeLessThanOrEqual(100)
    }
    expect(given.length).toBeGreaterThanOrEqual(100)
    for (const [id, timeS] of given) expect(memory.seen(id, timeS)).toBe(true)
    expect(memory.seen(bytes(5000), startS - 110)).toBe(true)
    expect(memory.seen(bytes(5000), startS + 100)).toBe(false)
  })

  it('opens the window again as time goes on', () => {
    const clock = fakeClock(startS * 1000)
    const memory = new ReplayMemory(clock, 10)
    for (let n = 0; n < 11; n++) memory.remember(bytes(n), startS)
    expect(memory.seen(bytes(99), startS)).toBe(true)
    clock.advance(1000)
    expect(memory.seen(bytes(99), startS + 1)).toBe(false)
  })

  it('does not let go because the clock was set back', () => {
    const clock = fakeClock(startS * 1000)
    const memory = new ReplayMemory(clock)
    memory.remember(bytes(1), startS)
    clock.set((startS + 300) * 1000)
    expect(memory.size).toBe(0)
    clock.set(startS * 1000)
    expect(memory.seen(bytes(1), startS)).toBe(true)
  })
})

describe('SessionHistory', () => {
  const id = bytes(1)
  const key = bytes(2)
  const iv = bytes(3)

  it('tells sessions apart by id, key and IV', () => {
    const history = new SessionHistory(fakeClock(startS * 1000))
    expect(history.enter(id, key, iv, startS)).toBe(true)
    expect(history.enter(id, key, iv, startS)).toBe(false)
    expect(history.enter(bytes(9), key, iv, startS)).toBe(true)
    expect(history.enter(id, bytes(9), iv, startS)).toBe(true)
    expect(history.enter(id, key, bytes(9), startS)).toBe(true)
    expect(history.enter(id, iv, key, startS)).toBe(true)
    expect(history.size).toBe(5)
  })

  it('keeps them for three minutes at least, and while their authentication is good', () => {
    for (const [offset, keptS] of [
      [-120, 180],
      [0, 180],
      [120, 240],
    ] as const) {
      const clock = fakeClock(startS * 1000)
      const history = new SessionHistory(clock)
      history.enter(id, key, iv, startS + offset)
      clock.advance(keptS * 1000)
      expect(history.enter(id, key, iv, startS + offset)).toBe(false)
      clock.advance(1000)
      expect(history.size).toBe(0)
    }
  })

  it('narrows like the other when full', () => {
    const clock = fakeClock(startS * 1000)
    const history = new SessionHistory(clock, 50)
    for (let n = 0; n < 200; n++) {
      history.enter(id, bytes(n), iv, startS + n)
      clock.advance(1000)
      expect(history.size).toBeLessThanOrEqual(50)
    }
    for (let n = 0; n < 200; n++) expect(history.enter(id, bytes(n), iv, startS + n)).toBe(false)
    expect(history.enter(id, key, iv, startS + 200)).toBe(true)
  })
})

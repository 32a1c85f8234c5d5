import { describe, expect, it } from 'vitest'
import { forever, Life } from '../core/lifetime.ts'
import { fakeClock } from '../testing/fakes.ts'
import { SpeedLimit } from './pace.ts'

const never = forever

const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** A limit, and connections that have endless bytes to send through it. */
function rig(rate: number) {
  const clock = fakeClock(1_700_000_000_000)
  let correction = 0
  const limit = new SpeedLimit({ ...clock, now: () => clock.now() + correction })
  /** Corrects what the clock shows; timers go on as they do. */
  const correct = (ms: number) => {
    correction += ms
  }
  limit.rate = rate
  clock.advance(10_000)

  const source = (batch: number, write?: (piece: Uint8Array) => void | Promise<void>) => {
    const state = { passed: 0, pieces: [] as number[], stop: new Life(), error: undefined as unknown }
    const pump = async () => {
      while (!state.stop.gone) {
        await limit.pass(
          new Uint8Array(batch),
          (piece) => {
            state.passed += piece.length
            state.pieces.push(piece.length)
            return write?.(piece)
          },
          state.stop,
        )
      }
    }
    const done = pump().catch((error: unknown) => {
      state.error = error
    })
    return Object.assign(state, { done })
  }

  const run = async (ms: number, step = 1) => {
    for (let t = 0; t < ms; t += step) {
      clock.advance(step)
      await Promise.resolve()
      await Promise.resolve()
      await settle()
    }
  }
  return { clock, correct, limit, source, run }
}

describe('SpeedLimit', () => {
  it('is smooth: within 10 % in every second that is measured, whatever the batches', async () => {
    for (const batch of [261_888, 16_368, 1_400]) {
      const { source, run } = rig(1_000_000)
      const it = source(batch)
      const at: number[] = [it.passed]
      for (let t = 0; t < 3000; t += 10) {
        await run(10, 5)
        at.push(it.passed)
      }
      for (let i = 100; i < at.length; i++) {
        const second = at[i]! - at[i - 100]!
        expect(second, `batches of ${batch}, second from ${i * 10 - 1000} ms`).toBeGreaterThan(900_000)
        expect(second, `batches of ${batch}, second from ${i * 10 - 1000} ms`).toBeLessThan(1_100_000)
      }
      it.stop.end(new Error('stopped'))
    }
  })

  it('knows whose bytes wait for their turn; those that wait for the peer do not', async () => {
    const { limit, source, run } = rig(1000)
    const slow = source(2000, () => new Promise(() => {}))
    const quick = source(2000)
    await settle()
    expect(limit.holds(quick.stop)).toBe(true)
    await run(2000, 50)
    expect(slow.passed).toBeGreaterThan(0)
    expect(limit.holds(slow.stop)).toBe(false)
    expect(limit.holds(quick.stop)).toBe(true)
    quick.stop.end(new Error('stopped'))
    expect(limit.holds(quick.stop)).toBe(false)
    slow.stop.end(new Error('stopped'))
  })

  it('lets 50 ms worth pass at once after a silence, and no more', async () => {
    const { source } = rig(1_000_000)
    const it = source(261_888)
    await settle()
    expect(it.passed).toBe(50_000)
    it.stop.end(new Error('stopped'))
  })

  it('passes what is below the limit on at once, without a copy and without a timer', () => {
    const { clock, limit } = rig(1_000_000)
    const bytes = Uint8Array.of(1, 2, 3)
    const seen: Uint8Array[] = []
    expect(limit.pass(bytes, (piece) => void seen.push(piece), forever)).toBeUndefined()
    expect(seen).toEqual([bytes])
    expect(seen[0]).toBe(bytes)
    expect(clock.pending).toBe(0)
  })

  it('keeps the order and the content of lent bytes', async () => {
    const { clock, limit } = rig(100_000)
    const data = Uint8Array.from({ length: 60_000 }, (_, i) => i * 7)
    const lent = data.slice()
    const out: number[] = []
    const done = limit.pass(lent, (piece) => void out.push(...piece), forever)
    lent.fill(0xee)
    clock.advance(1000)
    await done
    expect(Uint8Array.from(out)).toEqual(data)
    expect(clock.pending).toBe(0)
  })

  it('shares fairly between connections with large and small batches, one of them late', async () => {
    const { source, run } = rig(2_000_000)
    const sources = [source(261_888), source(261_888), source(16_368)]
    await run(2000)
    const late = source(1400)
    const before = sources.map(({ passed }) => passed)
    await run(4000)
    const shares = [...sources.map(({ passed }, i) => passed - before[i]!), late.passed]
    expect(shares.reduce((a, b) => a + b)).toBeGreaterThan(7_600_000)
    for (const share of shares) {
      expect(share, shares.join()).toBeGreaterThan(1_600_000)
      expect(share, shares.join()).toBeLessThan(2_400_000)
    }
    for (const { stop } of [...sources, late]) stop.end(new Error('stopped'))
  })

  it('has one timer however many wait', async () => {
    const { clock, source } = rig(10_000)
    const many = Array.from({ length: 50 }, () => source(65_536))
    await settle()
    expect(clock.pending).toBe(1)
    for (const { stop } of many) stop.end(new Error('stopped'))
    expect(clock.pending).toBe(0)
  })

  it('makes progress at 1 KB/s, with something in every second', async () => {
    const { source, run } = rig(1000)
    const it = source(261_888)
    await settle()
    const at: number[] = []
    for (let i = 0; i < 10; i++) {
      at.push(it.passed)
      await run(1000, 10)
    }
    for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBe(1000)
    it.stop.end(new Error('stopped'))
  })

  it('releases at once what waits when it is lifted', async () => {
    const { clock, limit } = rig(1000)
    let passed = 0
    const write = (piece: Uint8Array) => {
      passed += piece.length
    }
    const pass = () => limit.pass(new Uint8Array(100_000), write, never)
    const waiting = [pass(), pass(), pass()]
    expect(passed).toBe(1000)
    limit.rate = 0
    expect(passed).toBe(300_000)
    await Promise.all(waiting)
    expect(clock.pending).toBe(0)
  })

  it('goes on at a new rate at once, faster and slower', async () => {
    const { limit, source, run } = rig(1000)
    const it = source(261_888)
    await run(100)
    limit.rate = 1_000_000
    let before = it.passed
    await run(1000)
    expect(it.passed - before).toBeGreaterThan(940_000)
    limit.rate = 10_000
    before = it.passed
    await run(1000)
    expect(it.passed - before).toBeLessThanOrEqual(11_000)
    it.stop.end(new Error('stopped'))
  })

  it('honours the target’s back-pressure between pieces', async () => {
    const { source, run } = rig(1_000_000)
    let release = () => {}
    const slow = source(261_888, () => new Promise<void>((resolve) => (release = resolve)))
    const other = source(261_888)
    await run(1000)
    expect(slow.pieces).toHaveLength(1)
    expect(other.passed).toBeGreaterThan(850_000)
    release()
    await run(200)
    expect(slow.pieces).toHaveLength(2)
    for (const { stop } of [slow, other]) stop.end(new Error('stopped'))
  })

  it('rejects with what write rejected with, or threw', async () => {
    const { clock, limit } = rig(100_000)
    const failing = limit.pass(new Uint8Array(50_000), () => Promise.reject(new Error('reset')), forever)
    await expect(failing).rejects.toThrow('reset')
    const throwing = limit.pass(
      new Uint8Array(50_000),
      () => {
        throw new Error('misuse')
      },
      forever,
    )
    clock.advance(1000)
    await expect(throwing).rejects.toThrow('misuse')
    expect(clock.pending).toBe(0)
  })

  it('ends a wait with the reason of the one that is written to, and lets the next one go on', async () => {
    const { clock, limit, source, run } = rig(1000)
    const gone = new Life()
    const waiting = limit.pass(new Uint8Array(100_000), () => {}, gone)
    const next = source(3000)
    gone.end(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    await run(4000, 10)
    expect(next.passed).toBeGreaterThanOrEqual(3000)
    next.stop.end(new Error('stopped'))
    await expect(limit.pass(new Uint8Array(100_000), () => {}, gone)).rejects.toThrow('gone')
    expect(clock.pending).toBe(0)
  })

  it('bears a clock that is set back or far ahead', async () => {
    for (const correction of [3_600_000, -3_600_000]) {
      const { source, run, correct } = rig(100_000)
      const it = source(65_536)
      await run(500)
      correct(correction)
      const before = it.passed
      await run(1000)
      expect(it.passed - before).toBeGreaterThan(90_000)
      expect(it.passed - before).toBeLessThan(115_000)
      it.stop.end(new Error('stopped'))
    }
  })
})

import { describe, expect, it } from 'vitest'
import { forever, Life } from '../core/lifetime.ts'
import { fakeClock } from '../testing/fakes.ts'
import { SpeedLimit } from './pace.ts'

const rate = 1_000_000

function rig() {
  const clock = fakeClock(1_700_000_000_000)
  const limit = new SpeedLimit(clock)
  limit.rate = rate
  clock.advance(10_000)
  /** A flow of datagrams that offers so many bytes per second. */
  const flow = (bytesPerSecond: number, size = 1_200) => {
    const to = new Life()
    const state = { offered: 0, passed: 0, owed: 0 }
    const step = (ms: number) => {
      for (state.owed += (bytesPerSecond * ms) / 1000; state.owed >= size; state.owed -= size) {
        state.offered += size
        if (limit.admit(size, to)) state.passed += size
      }
    }
    return Object.assign(state, { step })
  }
  const run = async (ms: number, flows: readonly ReturnType<typeof flow>[]) => {
    for (let t = 0; t < ms; t++) {
      clock.advance(1)
      for (const one of flows) one.step(1)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  return { clock, limit, flow, run }
}

describe('a speed limit for datagrams', () => {
  it('lets everything pass that is within it, and everything when there is none', async () => {
    const { limit, flow, run } = rig()
    const calm = flow(rate * 0.95)
    await run(1000, [calm])
    expect(calm.passed).toBe(calm.offered)
    limit.rate = 0
    expect(limit.admit(10_000_000, new Life())).toBe(true)
  })

  it('holds one that offers five times as much to it', async () => {
    const { flow, run } = rig()
    const greedy = flow(rate * 5)
    await run(3000, [greedy])
    expect(greedy.passed / (3 * rate)).toBeGreaterThan(0.95)
    expect(greedy.passed / (3 * rate)).toBeLessThan(1.1)
  })

  it('lets a burst pass after a silence, and drops late', () => {
    const { limit } = rig()
    const to = new Life()
    let passed = 0
    while (limit.admit(1_200, to)) passed += 1_200
    expect(passed).toBeGreaterThan(rate * 0.05)
    expect(passed).toBeLessThan(rate * 0.2)
  })

  it('drops of the one who takes more than a share, not of the one who does not', async () => {
    const { flow, run } = rig()
    const greedy = flow(rate * 10)
    const calm = flow(rate * 0.4, 300)
    await run(3000, [greedy, calm])
    expect(calm.passed / calm.offered).toBeGreaterThan(0.98)
    expect((greedy.passed + calm.passed) / (3 * rate)).toBeGreaterThan(0.93)
    expect((greedy.passed + calm.passed) / (3 * rate)).toBeLessThan(1.1)
  })

  it('lets datagrams and a stream that waits both have their half', async () => {
    const { limit, flow, run } = rig()
    const greedy = flow(rate * 3)
    const never = forever
    let stream = 0
    const count = (piece: Uint8Array) => {
      stream += piece.length
    }
    const pump = async () => {
      for (;;) {
        await limit.pass(new Uint8Array(16_000), (piece) => count(piece), never)
      }
    }
    void pump()
    await run(3000, [greedy])
    expect(stream / (3 * rate)).toBeGreaterThan(0.4)
    expect(greedy.passed / (3 * rate)).toBeGreaterThan(0.4)
    expect((stream + greedy.passed) / (3 * rate)).toBeLessThan(1.1)
  })

  it('lets a datagram pass that is larger than what the limit gives in a second, and then none for as long', () => {
    const { clock, limit } = rig()
    limit.rate = 500
    clock.advance(10_000)
    const to = new Life()
    expect(limit.admit(1_500, to)).toBe(true)
    expect(limit.admit(1_500, to)).toBe(false)
    clock.advance(1_000)
    expect(limit.admit(1_500, to)).toBe(false)
    clock.advance(2_000)
    expect(limit.admit(1_500, to)).toBe(true)
  })
})

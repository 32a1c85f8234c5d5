import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../testing/fakes.ts'
import { TimerWheel } from './timer-wheel.ts'

function rig() {
  const clock = fakeClock(0)
  let wakes = 0
  const wheel = new TimerWheel(clock.elapsed, (ms, run) =>
    clock.after(ms, () => {
      wakes++
      run()
    }),
  )
  return { clock, wheel, wakes: () => wakes }
}

describe('timer wheel', () => {
  it('runs each wait once, never early and at most a slot late, in whatever order they were asked for', () => {
    const waits = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 400_000 }), cancel: fc.boolean() }), {
      maxLength: 40,
    })
    const pauses = fc.array(fc.integer({ min: 1, max: 150_000 }), { maxLength: 6 })
    fc.assert(
      fc.property(waits, pauses, (asked, steps) => {
        const { clock, wheel } = rig()
        const ran = new Map<number, number>()
        const due: number[] = []
        const ask = ({ ms, cancel }: { ms: number; cancel: boolean }): void => {
          const id = due.push(cancel ? Number.POSITIVE_INFINITY : clock.elapsed() + ms) - 1
          const take = wheel.after(ms, () => {
            expect(ran.has(id)).toBe(false)
            ran.set(id, clock.elapsed())
          })
          if (cancel) take()
        }
        const half = Math.floor(asked.length / 2)
        asked.slice(0, half).forEach(ask)
        for (const step of steps) clock.advance(step)
        asked.slice(half).forEach(ask)
        clock.advance(600_000)
        for (const [id, at] of due.entries()) {
          if (at === Number.POSITIVE_INFINITY) {
            expect(ran.has(id)).toBe(false)
            continue
          }
          expect(ran.get(id)).toBeGreaterThanOrEqual(at)
          expect(ran.get(id)! - at).toBeLessThanOrEqual(50)
        }
        expect(wheel.size).toBe(0)
        expect(clock.pending).toBe(0)
      }),
    )
  })

  it('keeps one timer for all waits, and none when all are cancelled', () => {
    const { clock, wheel } = rig()
    const cancels = Array.from({ length: 1000 }, (_, i) => wheel.after(1000 + i * 100, () => {}))
    expect(clock.pending).toBe(1)
    for (const cancel of cancels) cancel()
    for (const cancel of cancels) cancel()
    expect(wheel.size).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('sleeps while nothing is due', () => {
    const { clock, wheel, wakes } = rig()
    wheel.after(90_000, () => {})
    clock.advance(89_000)
    expect(wakes()).toBe(0)
  })

  it('lets what runs cancel what is due at the same moment, and wait anew', () => {
    const { clock, wheel } = rig()
    const ran: string[] = []
    wheel.after(100, () => {
      ran.push('first')
      cancelSecond()
      wheel.after(0, () => ran.push('third'))
    })
    const cancelSecond = wheel.after(100, () => ran.push('second'))
    clock.advance(300)
    expect(ran).toEqual(['first', 'third'])
  })

  it('makes up for a process that was stopped for hours', () => {
    const { clock, wheel } = rig()
    const ran: number[] = []
    for (const ms of [10, 5_000, 200_000]) wheel.after(ms, () => ran.push(ms))
    const late = new TimerWheel(clock.elapsed, clock.after)
    late.after(10, () => ran.push(0))
    clock.advance(7_200_000)
    expect(ran.sort((a, b) => a - b)).toEqual([0, 10, 5_000, 200_000])
  })
})

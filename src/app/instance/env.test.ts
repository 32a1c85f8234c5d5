import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from './env.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('systemClock', () => {
  it('waits longer than one Node timer can', () => {
    vi.useFakeTimers()
    const ran = vi.fn()
    systemClock.after(4_294_967_295_000, ran)
    vi.advanceTimersByTime(4_294_967_294_999)
    expect(ran).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(ran).toHaveBeenCalledOnce()
  })

  it('can be cancelled in any slice of a long wait', () => {
    vi.useFakeTimers()
    const ran = vi.fn()
    const cancel = systemClock.after(5_000_000_000, ran)
    vi.advanceTimersByTime(3_000_000_000)
    cancel()
    vi.advanceTimersByTime(5_000_000_000)
    expect(ran).not.toHaveBeenCalled()
  })
})

import type { Cancel, Clock, Random } from '../core/env.ts'

export interface FakeClock extends Clock {
  /** Moves time forward and runs, in order of their due time, the callbacks that fall due on the way. */
  advance(ms: number): void
  /** Sets the wall clock alone: a clock that was corrected. No time passes. */
  set(ms: number): void
  /** Callbacks still waiting. */
  readonly pending: number
}

/** A clock that stands still until it is told to move. */
export function fakeClock(startMs: number): FakeClock {
  let now = startMs
  let elapsed = 0
  let order = 0
  const timers = new Map<number, { dueMs: number; run: () => void }>()
  const earliest = (): number | undefined => {
    let best: number | undefined
    for (const [id, timer] of timers) if (best === undefined || timer.dueMs < timers.get(best)!.dueMs) best = id
    return best
  }
  return {
    now: () => now,
    elapsed: () => elapsed,
    after(ms: number, run: () => void): Cancel {
      const id = order++
      timers.set(id, { dueMs: elapsed + Math.max(0, ms), run })
      return () => void timers.delete(id)
    },
    advance(ms: number): void {
      const until = elapsed + ms
      const pass = (to: number): void => {
        now += to - elapsed
        elapsed = to
      }
      for (let id = earliest(); id !== undefined && timers.get(id)!.dueMs <= until; id = earliest()) {
        const timer = timers.get(id)!
        timers.delete(id)
        pass(Math.max(elapsed, timer.dueMs))
        timer.run()
      }
      pass(Math.max(elapsed, until))
    },
    set(ms: number): void {
      now = ms
    },
    get pending() {
      return timers.size
    },
  }
}

/** Reproducible numbers from a 32-bit seed (xorshift128). For tests only: anyone can predict them. */
export function fakeRandom(seed: number): Random {
  const state = new Uint32Array(4)
  let s = seed >>> 0
  for (let i = 0; i < 4; i++) {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9 + i) >>> 0
    state[i] = s
  }
  state[0]! |= 1
  const next = (): number => {
    let t = state[3]!
    const first = state[0]!
    state[3] = state[2]!
    state[2] = state[1]!
    state[1] = first
    t ^= t << 11
    t ^= t >>> 8
    state[0] = t ^ first ^ (first >>> 19)
    return state[0]!
  }
  for (let i = 0; i < 16; i++) next()
  return {
    fill<T extends Uint8Array>(bytes: T): T {
      let word = 0
      for (let i = 0; i < bytes.length; i++) {
        if ((i & 3) === 0) word = next()
        bytes[i] = word
        word >>>= 8
      }
      return bytes
    },
    below: (limit: number): number => Math.floor((next() / 0x1_0000_0000) * limit),
  }
}

import type { Cancel, Clock, Env, Logger } from '../../core/env.ts'
import { silentLogger } from '../../core/env.ts'
import { TimerWheel } from '../../core/time/timer-wheel.ts'
import { systemRandom } from '../../crypto/random.ts'

/** Node takes a longer delay for one millisecond. */
const longestTimerMs = 2 ** 31 - 1

function timer(ms: number, run: () => void): Cancel {
  let handle: NodeJS.Timeout
  const wait = (left: number): void => {
    const slice = Math.min(left, longestTimerMs)
    handle = setTimeout(() => (left > slice ? wait(left - slice) : run()), slice)
  }
  wait(ms)
  return () => clearTimeout(handle)
}

const elapsed = (): number => performance.now()

/** Between these a slot more or less does not matter, and a turn more or less costs nothing, ms. */
const [wheelFromMs, wheelToMs] = [1_000, 3_600_000]
const wheel = new TimerWheel(elapsed, timer)

/** The real clock. Its timers keep the process alive, so whoever sets one cancels it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed,
  after: (ms, run) => (ms < wheelFromMs || ms > wheelToMs ? timer(ms, run) : wheel.after(ms, run)),
}

export const systemEnv = (log: Logger = silentLogger): Env => ({ clock: systemClock, random: systemRandom, log })

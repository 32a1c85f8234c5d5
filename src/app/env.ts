import type { Clock, Env, Logger } from '../core/env.ts'
import { silentLogger } from '../core/env.ts'
import { systemRandom } from '../crypto/random.ts'

/** The real clock. Its timers keep the process alive, so whoever sets one cancels it: a paused listener lives by its timer alone. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout
    const wait = (left: number): void => {
      const slice = Math.min(left, longestTimerMs)
      timer = setTimeout(() => (left > slice ? wait(left - slice) : run()), slice)
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

/** Node takes a longer delay for one millisecond. */
const longestTimerMs = 2 ** 31 - 1

export const systemEnv = (log: Logger = silentLogger): Env => ({ clock: systemClock, random: systemRandom, log })

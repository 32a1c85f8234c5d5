import type { Clock, Env, Logger } from '../core/env.ts'
import { silentLogger } from '../core/env.ts'
import { systemRandom } from '../crypto/random.ts'

/** The real clock. Its timers keep the process alive, so whoever sets one cancels it: a paused listener lives by its timer alone. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export const systemEnv = (log: Logger = silentLogger): Env => ({ clock: systemClock, random: systemRandom, log })

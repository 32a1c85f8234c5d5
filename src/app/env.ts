import type { Clock, Env, Logger } from '../core/env.ts'
import { silentLogger } from '../core/env.ts'
import { systemRandom } from '../crypto/random.ts'

/** The real clock. Its timers keep no process alive: what listens or is connected does that. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

export const systemEnv = (log: Logger = silentLogger): Env => ({ clock: systemClock, random: systemRandom, log })

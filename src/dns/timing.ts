import type { Cancel, Clock } from '../core/env.ts'
import { Life, type Lifetime } from '../core/lifetime.ts'

/** What look-ups need of time: no dates. */
export interface Timing extends Pick<Clock, 'after'> {
  /** Milliseconds that have passed since some moment. Never goes back. */
  elapsed(): number
}

/** A lifetime that is over for `reason()` after `ms`, or with its parent and for its reason; `done` frees timer and parent. */
export function deadline(
  timing: Timing,
  ms: number,
  reason: () => Error,
  parent: Lifetime,
): { until: Lifetime; done: Cancel } {
  const life = new Life()
  const cancelTimer = timing.after(ms, () => life.end(reason()))
  const leaveParent = parent.onGone((why) => life.end(why))
  const done = (): void => {
    cancelTimer()
    leaveParent()
  }
  life.onGone(done)
  return { until: life, done }
}

/** Settles as `work` does, or rejects with why `until` is over, whichever comes first. */
export function unlessGone<T>(work: Promise<T>, until: Lifetime): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = until.onGone(reject)
    work.then(resolve, reject).finally(leave)
  })
}

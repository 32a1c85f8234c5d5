import type { Clock } from '../../core/env.ts'

/** Milliseconds by which the monotonic clock of the system, which all threads share, is ahead of this one. */
export const monotonicAheadMs = (clock: Pick<Clock, 'elapsed'>): number =>
  Number(process.hrtime.bigint()) / 1e6 - clock.elapsed()

/** The clock of a worker, whose elapsed() is that of the main thread. */
export function sharedClock(own: Clock, mainAheadMs: number): Clock {
  const behindMs = monotonicAheadMs(own) - mainAheadMs
  return { ...own, elapsed: () => own.elapsed() + behindMs }
}

import type { Cancel, Clock } from '../env.ts'
import { ProxyError } from '../errors.ts'
import { Life, type Lifetime } from '../lifetime.ts'
import { limits } from '../limits.ts'

export interface Deadline {
  /** Over at the deadline, or with its parent. */
  readonly until: Lifetime
  /** Frees timer and parent. */
  done(): void
}

/** A lifetime that is over for `reason()` after `ms` of the injected clock, or with its parent and for its reason. */
export function deadline(clock: Clock, ms: number, reason: () => Error, parent?: Lifetime): Deadline {
  const life = new Life()
  let leaveParent: Cancel | undefined
  const done = (): void => {
    cancelTimer()
    leaveParent?.()
  }
  const cancelTimer = clock.after(ms, () => {
    done()
    life.end(reason())
  })
  leaveParent = parent?.onGone((why) => {
    cancelTimer()
    life.end(why)
  })
  return { until: life, done }
}

/** The one limit of a dial, from name look-up to the end of the TLS handshake: DIAL_TIMEOUT after `limits.dialTimeoutMs`. */
export function dialDeadline(clock: Clock, parent?: Lifetime): Deadline {
  return deadline(clock, limits.dialTimeoutMs, dialTimedOut, parent)
}

export const dialTimedOut = (): ProxyError =>
  new ProxyError('DIAL_TIMEOUT', `no connection within ${limits.dialTimeoutMs / 1000} s`)

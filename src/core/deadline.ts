import type { Cancel, Clock } from './env.ts'
import { ProxyError } from './errors.ts'
import { limits } from './limits.ts'

/** A signal that aborts with `reason()` after `ms` of the injected clock, or with its parent; `done` frees both. */
export function deadline(
  clock: Clock,
  ms: number,
  reason: () => Error,
  parent?: AbortSignal,
): { signal: AbortSignal; done: Cancel } {
  const controller = new AbortController()
  const cancelTimer = clock.after(ms, () => {
    done()
    controller.abort(reason())
  })
  const onParent = (): void => {
    done()
    controller.abort(parent?.reason)
  }
  const done = (): void => {
    cancelTimer()
    parent?.removeEventListener('abort', onParent)
  }
  if (parent?.aborted) onParent()
  else parent?.addEventListener('abort', onParent)
  return { signal: controller.signal, done }
}

/** The one limit of a dial, from name look-up to the end of the TLS handshake: DIAL_TIMEOUT after `limits.dialTimeoutMs`. */
export function dialDeadline(clock: Clock, parent?: AbortSignal): { signal: AbortSignal; done: Cancel } {
  const late = () => new ProxyError('DIAL_TIMEOUT', `no connection within ${limits.dialTimeoutMs / 1000} s`)
  return deadline(clock, limits.dialTimeoutMs, late, parent)
}

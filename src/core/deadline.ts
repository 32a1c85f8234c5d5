import type { Cancel, Clock } from './env.ts'

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

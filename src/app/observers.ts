import type { Logger } from '../core/env.ts'
import type { Observer } from '../core/observer.ts'

/** One observer that tells all of them. What one throws is logged and keeps neither the others nor the flow. */
export function allOf(observers: readonly Observer[], log: Logger): Required<Observer> {
  const tell = (call: (observer: Observer) => void): void => {
    for (const observer of observers) {
      try {
        call(observer)
      } catch (error) {
        log.error({ err: error }, 'an observer failed')
      }
    }
  }
  return {
    opened: (session) => tell((observer) => observer.opened?.(session)),
    routed: (session, outboundTag) => tell((observer) => observer.routed?.(session, outboundTag)),
    closed: (session, totals, reason) => tell((observer) => observer.closed?.(session, totals, reason)),
    failed: (session, error) => tell((observer) => observer.failed?.(session, error)),
    rejected: (at, error) => tell((observer) => observer.rejected?.(at, error)),
  }
}

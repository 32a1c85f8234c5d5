import type { Observer } from '../core/observer.ts'

/** One observer that tells all of them. */
export function allOf(observers: readonly Observer[]): Required<Observer> {
  return {
    opened(session) {
      for (const observer of observers) observer.opened?.(session)
    },
    routed(session, outboundTag) {
      for (const observer of observers) observer.routed?.(session, outboundTag)
    },
    closed(session, totals, reason) {
      for (const observer of observers) observer.closed?.(session, totals, reason)
    },
    failed(session, error) {
      for (const observer of observers) observer.failed?.(session, error)
    },
    rejected(at, error) {
      for (const observer of observers) observer.rejected?.(at, error)
    },
  }
}

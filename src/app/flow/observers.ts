import type { Logger } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session, Totals } from '../../core/session.ts'

/**
 * One observer that tells all of them, who may come and go. What one throws is logged and keeps neither the others nor the
 * flow.
 */
export class Observers implements Required<Observer> {
  readonly #log: Logger
  #list: readonly Observer[]

  constructor(observers: readonly Observer[], log: Logger) {
    this.#list = observers
    this.#log = log
  }

  /** Returns how to leave again. */
  add(observer: Observer): () => void {
    this.#list = [...this.#list, observer]
    return () => {
      this.#list = this.#list.filter((other) => other !== observer)
    }
  }

  opened(session: Session): void {
    this.#tell((observer) => observer.opened?.(session))
  }

  routed(session: Session, outboundTag: string): void {
    this.#tell((observer) => observer.routed?.(session, outboundTag))
  }

  connected(session: Session): void {
    this.#tell((observer) => observer.connected?.(session))
  }

  closed(session: Session, totals: Readonly<Totals>, reason?: ProxyError): void {
    this.#tell((observer) => observer.closed?.(session, totals, reason))
  }

  failed(session: Session, error: ProxyError): void {
    this.#tell((observer) => observer.failed?.(session, error))
  }

  rejected(at: { inboundTag: string; source: string; email: string }, error: ProxyError): void {
    this.#tell((observer) => observer.rejected?.(at, error))
  }

  #tell(call: (observer: Observer) => void): void {
    for (const observer of this.#list) {
      try {
        call(observer)
      } catch (error) {
        this.#log.error({ err: error }, 'an observer failed')
      }
    }
  }
}

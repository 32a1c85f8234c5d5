import { limits } from '../core/limits.ts'
import type { Counters } from './counters.ts'

/** Watches accounts: keeps the counters of users who are gone for whoever reads them late, but not of everybody who ever was. */
export class FormerUsers {
  readonly #counters: Counters
  /** Who left first comes first. */
  readonly #emails = new Set<string>()

  constructor(counters: Counters) {
    this.#counters = counters
  }

  closed({ email }: { readonly email: string }): void {
    this.#emails.delete(email)
    this.#emails.add(email)
    const [oldest] = this.#emails
    if (this.#emails.size <= limits.formerUsers || oldest === undefined) return
    this.#emails.delete(oldest)
    this.#counters.forget('user', oldest)
  }

  opened({ email }: { readonly email: string }): void {
    this.#emails.delete(email)
  }
}

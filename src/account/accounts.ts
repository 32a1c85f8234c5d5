import type { Clock } from '../core/env.ts'
import { type UserLimits, unlimited } from '../core/user-limits.ts'
import { Account } from './account.ts'

/** The users of an instance by e-mail, letter case aside. Users without one have no account: nothing is kept of them. */
export class Accounts {
  readonly #clock: Clock
  readonly #accounts = new Map<string, { readonly account: Account; holders: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(email: string): Account | undefined {
    return email === '' ? undefined : this.#accounts.get(email.toLowerCase())?.account
  }

  /** The account of one more user with this e-mail. Limits are taken over when given. */
  open(email: string, limits?: UserLimits): void {
    if (email === '') return
    const key = email.toLowerCase()
    const known = this.#accounts.get(key)
    if (!known) {
      this.#accounts.set(key, { account: new Account(email, limits ?? unlimited, this.#clock), holders: 1 })
      return
    }
    known.holders++
    if (limits) known.account.change(limits)
  }

  /** One user with this e-mail is gone; with the last of them goes the account. Connections are the caller's business. */
  close(email: string): void {
    const key = email.toLowerCase()
    const known = this.#accounts.get(key)
    if (known && --known.holders === 0) this.#accounts.delete(key)
  }

  get size(): number {
    return this.#accounts.size
  }

  *[Symbol.iterator](): IterableIterator<Account> {
    for (const { account } of this.#accounts.values()) yield account
  }
}

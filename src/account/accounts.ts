import type { Clock } from '../core/env.ts'
import { type UserLimits, unlimited } from '../core/user-limits.ts'
import { Account } from './account.ts'
import type { AccountBook } from './book.ts'
import type { SharedState } from './shared-state.ts'

/** Is told of accounts, e.g. to keep them in a store. */
export interface AccountsWatcher {
  /** Nothing has been counted yet. */
  opened?(account: Account): void
  /** An operator changes its limits or sets its traffic to zero: throws when that must not be, because it cannot be kept. */
  changed?(account: Account): void
  /** Connections that still run go on counting. */
  closed?(account: Account): void
}

/** Nothing in common with anybody: one object for all such users. */
const alone: SharedState = {}

/** The users of an instance by e-mail, letter case aside. Users without one have no account: nothing is kept of them. */
export class Accounts implements AccountBook {
  readonly #clock: Clock
  readonly #accounts = new Map<string, { readonly account: Account; holders: number }>()
  readonly #watchers = new Set<AccountsWatcher>()
  readonly #share: (email: string) => SharedState
  readonly #changed = (account: Account) => this.#tell('changed', account)

  /** @param share what an account has in common with others of that e-mail in other threads */
  constructor(clock: Clock, share: (email: string) => SharedState = () => alone) {
    this.#clock = clock
    this.#share = share
  }

  /** Tells `watcher` from now on, until the returned function is called. */
  watch(watcher: AccountsWatcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  get(email: string): Account | undefined {
    return email === '' ? undefined : this.#accounts.get(email.toLowerCase())?.account
  }

  open(email: string, limits?: UserLimits): void {
    if (email === '') return
    const key = email.toLowerCase()
    const known = this.#accounts.get(key)
    if (!known) {
      const account = new Account(email, limits ?? unlimited, this.#clock, this.#changed, this.#share(email))
      this.#accounts.set(key, { account, holders: 1 })
      this.#tell('opened', account)
      return
    }
    known.holders++
    if (limits) known.account.configure(limits)
  }

  close(email: string): void {
    const key = email.toLowerCase()
    const known = this.#accounts.get(key)
    if (!known || --known.holders > 0) return
    this.#accounts.delete(key)
    this.#tell('closed', known.account)
  }

  #tell(what: keyof AccountsWatcher, account: Account): void {
    for (const watcher of this.#watchers) watcher[what]?.(account)
  }

  get size(): number {
    return this.#accounts.size
  }

  *[Symbol.iterator](): IterableIterator<Account> {
    for (const { account } of this.#accounts.values()) yield account
  }
}

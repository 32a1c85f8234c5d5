import type { Account } from '../../account/account.ts'
import type { Accounts } from '../../account/accounts.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import { sameLimits } from '../../core/user-limits.ts'
import type { AccountingConfig } from '../../settings/model.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { StoredUser, UsageStore } from '../../store/store.ts'

export interface AccountingDeps {
  readonly accounts: Accounts
  readonly env: Env
  /** Opens the store; by default an SQLite file. */
  readonly open?: (path: string) => Promise<UsageStore>
}

/**
 * Gives the accounts what the store has of them, and keeps the store up to date until close(). To be called before the
 * first byte passes. @throws ProxyError STORE_FAILED
 */
export async function openAccounting(config: AccountingConfig, deps: AccountingDeps): Promise<Accounting> {
  const store = await (deps.open ?? openSqliteStore)(config.path)
  try {
    return new Accounting(config, store, deps)
  } catch (error) {
    store.close()
    throw error
  }
}

/**
 * What users used up, since when, and what an operator changed of their limits, in a store. Numbers are written as they stand, after the
 * bytes were counted: the store is behind by one period at most, and never ahead.
 */
export class Accounting {
  readonly #store: UsageStore
  readonly #accounts: Accounts
  readonly #env: Env
  readonly #periodMs: number
  /** What the store has, by e-mail in lower case. */
  readonly #kept: Map<string, StoredUser>
  /** Accounts that were closed: not written yet, or with connections that still count. */
  readonly #leaving = new Map<string, Account>()
  readonly #unwatch: () => void
  readonly #logDue: (key: string) => boolean
  #cancel: Cancel = () => {}
  #failing = false
  #syncing = false
  #unsynced = false
  #closed = false

  constructor({ flushS }: AccountingConfig, store: UsageStore, { accounts, env }: AccountingDeps) {
    this.#store = store
    this.#accounts = accounts
    this.#env = env
    this.#periodMs = flushS * 1000
    this.#logDue = onceEvery(env.clock, 60_000)
    this.#kept = new Map(store.load().map((user) => [user.email, user]))
    for (const account of accounts) this.#restore(account)
    this.#unwatch = accounts.watch({
      opened: (account) => this.#restore(account),
      // An operator who was told that it is done must find it done after a crash.
      changed: (account) => this.#keep(account),
      closed: (account) => this.#leaving.set(keyOf(account), account),
    })
    this.#schedule()
  }

  /** Writes what has changed, all at once, and lets go of the store. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel()
    this.#unwatch()
    if (!batches(this.#changed()).every((part) => this.#write(part))) {
      this.#env.log.error({}, 'used traffic of the last seconds could not be written and is lost')
    }
    this.#store.close()
  }

  #keep(account: Account): void {
    if (this.#write([keyOf(account)])) return
    const hint = 'see the log for why the store cannot be written'
    throw new ProxyError('STORE_FAILED', 'the change could not be stored, and nothing was changed', { hint })
  }

  #restore(account: Account): void {
    const key = keyOf(account)
    const leaving = this.#leaving.get(key)
    const kept = storedUser(leaving) ?? this.#kept.get(key)
    this.#leaving.delete(key)
    if (!kept) return
    const { override } = kept
    const holds = override && sameLimits(override.configured, account.configured)
    account.restore(kept, holds ? override.limits : undefined)
    if (override && !holds) {
      this.#env.log.info(
        { user: account.email },
        'the configuration of the user’s limits has changed: what an API had changed of them no longer holds',
      )
    }
  }

  #schedule(): void {
    this.#cancel = this.#env.clock.after(this.#periodMs, () => this.#flush(batches(this.#changed())))
  }

  /** Batch by batch, and between two of them the connections have their turn. */
  #flush([part, ...rest]: readonly string[][]): void {
    if (part && this.#write(part) && rest.length > 0) {
      this.#cancel = this.#env.clock.after(0, () => this.#flush(rest))
      return
    }
    void this.#sync()
    this.#schedule()
  }

  /** False when it failed; the next period tries again. */
  #write(keys: readonly string[]): boolean {
    const users = keys.flatMap((key) => storedUser(this.#accounts.get(key) ?? this.#leaving.get(key)) ?? [])
    try {
      this.#store.write(users, this.#env.clock.now())
    } catch (error) {
      this.#failed(error)
      return false
    }
    for (const user of users) this.#kept.set(user.email, user)
    if (this.#failing) this.#env.log.info({}, 'used traffic is written to the store again')
    this.#failing = false
    this.#unsynced = true
    return true
  }

  async #sync(): Promise<void> {
    if (this.#syncing || !this.#unsynced) return
    this.#syncing = true
    this.#unsynced = false
    await this.#store.sync().catch((error: unknown) => {
      this.#unsynced = true
      this.#failed(error)
    })
    this.#syncing = false
  }

  #failed(error: unknown): void {
    this.#failing = true
    if (!this.#logDue('failed')) return
    const hint = isProxyError(error) && error.hint ? { hint: error.hint } : {}
    this.#env.log.error({ err: error, ...hint }, 'used traffic could not be written; it is tried again')
  }

  /** The accounts that differ from what the store has of them, by their key. */
  #changed(): string[] {
    const changed: string[] = []
    for (const account of this.#accounts) {
      const key = keyOf(account)
      if (!this.#isKept(key, account)) changed.push(key)
    }
    for (const [key, account] of this.#leaving) {
      if (!this.#isKept(key, account)) changed.push(key)
      else if (account.members.size === 0) this.#leaving.delete(key)
    }
    return changed
  }

  #isKept(key: string, account: Account): boolean {
    const { uplink, downlink, firstUse = 0, override } = this.#kept.get(key) ?? nothing
    const { used } = account
    const counted = used.uplink === uplink && used.downlink === downlink && account.firstUse === firstUse
    return counted && sameOverride(overrideOf(account), override)
  }
}

/** What the store has of a user that it does not know. */
const nothing: Omit<StoredUser, 'email'> = { uplink: 0, downlink: 0 }

const keyOf = (account: Account): string => account.email.toLowerCase()

function storedUser(account: Account | undefined): StoredUser | undefined {
  if (!account) return undefined
  const { firstUse } = account
  const override = overrideOf(account)
  return { email: keyOf(account), ...account.used, ...(firstUse > 0 && { firstUse }), ...(override && { override }) }
}

const overrideOf = ({ configured, limits: now }: Account): StoredUser['override'] =>
  sameLimits(configured, now) ? undefined : { configured, limits: now }

const sameOverride = (a: StoredUser['override'], b: StoredUser['override']): boolean =>
  a === b ||
  (a !== undefined && b !== undefined && sameLimits(a.configured, b.configured) && sameLimits(a.limits, b.limits))

function batches(keys: readonly string[]): string[][] {
  const parts: string[][] = []
  for (let i = 0; i < keys.length; i += limits.storeBatch) parts.push(keys.slice(i, i + limits.storeBatch))
  return parts
}

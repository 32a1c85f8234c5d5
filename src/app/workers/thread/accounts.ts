import { Account } from '../../../account/account.ts'
import { Accounts } from '../../../account/accounts.ts'
import type { Member } from '../../../account/book.ts'
import type { Clock } from '../../../core/env.ts'
import { ProxyError } from '../../../core/errors.ts'
import type { Totals } from '../../../core/session.ts'
import { unlimited } from '../../../core/user-limits.ts'
import { SharedBucket } from '../memory/shared-bucket.ts'
import { UsedTraffic } from '../memory/used-traffic.ts'
import type { AccountState } from '../messages.ts'
import type { Admissions } from './admissions.ts'

export interface WorkerAccountsDeps {
  readonly clock: Clock
  /** Of this worker. */
  readonly number: number
  readonly admissions: Admissions
  /** The cells of used traffic in this slot, as UsedTraffic has them. */
  readonly used: (slot: number) => Float64Array
  /** The quota of this user is used up. */
  readonly spent: (email: string) => void
}

/**
 * A user in a worker. Its speed is limited here, by buckets that all threads share, and what passes is counted in cells of
 * this thread; who is let in is decided here only where there is nothing to decide.
 */
class WorkerAccount extends Account {
  readonly slot: number
  readonly #deps: WorkerAccountsDeps
  readonly #used: UsedTraffic
  #state: AccountState
  #closed = false

  constructor(state: AccountState, deps: WorkerAccountsDeps) {
    const { number, clock } = deps
    const used = new UsedTraffic(deps.used(state.slot), number)
    super(state.email, unlimited, clock, () => {}, {
      used: used.totals,
      bucket: (direction) => new SharedBucket(this.#state.buckets![direction], number, () => clock.elapsed()),
    })
    this.slot = state.slot
    this.#deps = deps
    this.#used = used
    this.#state = state
    this.update(state)
  }

  /** The main thread's word. */
  update(state: AccountState): void {
    const { governed } = this.#state
    this.#state = state
    const { uplink, downlink } = state.limits
    super.configure({ ...unlimited, uplink, downlink })
    if (!state.governed || governed) return
    for (const member of this.members) this.#deps.admissions.join(this, member)
  }

  /** It is no more, and soon its slot is another's: whatever still ends counts for itself. */
  close(): void {
    this.#closed = true
    this.#used.detach()
  }

  /** What the main thread does not know of. */
  get ungoverned(): Iterable<Member> {
    return this.#state.governed ? [] : this.members
  }

  override admit(member: Member): void | Promise<void> {
    if (this.#closed) throw new ProxyError('USER_REMOVED', 'the user was removed')
    if (!this.#state.governed) return super.admit(member)
    return this.#deps.admissions.ask(this, member).then(() => super.admit(member))
  }

  override leave(member: Member): void {
    super.leave(member)
    this.#deps.admissions.leave(member)
  }

  override spend(direction: keyof Totals, bytes: number): void {
    const { quota } = this.#state.limits
    if (quota === 0) this.#used.add(direction, bytes)
    else if (this.#used.spend(direction, bytes) > quota) this.#exceeded(quota)
  }

  /** Only the main thread says what holds. */
  override configure(): void {}

  #exceeded(quota: number): void {
    const reason = new ProxyError('USER_QUOTA', `the user has used up the quota of ${quota} bytes`)
    for (const member of [...this.members]) member.end(reason)
    this.#deps.spent(this.email)
  }
}

/** The accounts of a worker: as the main thread says. Users who come and go here change nothing. */
export class WorkerAccounts extends Accounts {
  readonly #deps: WorkerAccountsDeps
  readonly #known = new Map<string, WorkerAccount>()

  constructor(deps: WorkerAccountsDeps) {
    super(deps.clock)
    this.#deps = deps
  }

  know(state: AccountState): void {
    const key = state.email.toLowerCase()
    const known = this.#known.get(key)
    if (known?.slot === state.slot) known.update(state)
    else {
      known?.close()
      this.#known.set(key, new WorkerAccount(state, this.#deps))
    }
  }

  closed({ email, slot }: { readonly email: string; readonly slot: number }): void {
    const key = email.toLowerCase()
    const known = this.#known.get(key)
    if (known?.slot !== slot) return
    known.close()
    this.#known.delete(key)
  }

  /** Client addresses of connections that the main thread does not know of, by e-mail. */
  *occupancy(): Iterable<readonly [email: string, hosts: readonly string[]]> {
    for (const [email, account] of this.#known) {
      if (account.members.size === 0) continue
      const hosts = Array.from(account.ungoverned, ({ host }) => host)
      if (hosts.length > 0) yield [email, hosts]
    }
  }

  override get(email: string): Account | undefined {
    return email === '' ? undefined : this.#known.get(email.toLowerCase())
  }

  override open(): void {}

  override close(): void {}

  override get size(): number {
    return this.#known.size
  }

  override [Symbol.iterator](): IterableIterator<Account> {
    return this.#known.values()
  }
}

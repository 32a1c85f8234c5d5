import type { Account } from '../../../account/account.ts'
import { Accounts } from '../../../account/accounts.ts'
import type { Member } from '../../../account/book.ts'
import type { Clock } from '../../../core/env.ts'
import { isProxyError, ProxyError } from '../../../core/errors.ts'
import type { Totals } from '../../../core/session.ts'
import { sameLimits, type UserLimits, unlimited } from '../../../core/user-limits.ts'
import { bucketMemory, SharedBucket } from '../memory/shared-bucket.ts'
import { Slots } from '../memory/slots.ts'
import { summedTotals } from '../memory/totals.ts'
import { UsedTraffic, usedTrafficStride } from '../memory/used-traffic.ts'
import { type AccountState, errorText, type FromWorker, type ToWorker } from '../messages.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Asking = Extract<FromWorker, { type: 'admit' | 'joined' }>

export interface SharedAccountsDeps {
  readonly clock: Clock
  /** Threads in all. */
  readonly threads: number
  /** Says something to every worker. */
  readonly tell: (message: ToWorker) => void
}

/**
 * The accounts of a server with workers. Limits are those of the main thread: it knows every connection of a user who has
 * limits on connections, addresses, time or traffic, and decides who is let in, as it does alone. What passes is counted
 * in cells that all threads see, and speed is taken from buckets that they share.
 */
export class SharedAccounts {
  readonly accounts: Accounts
  readonly #deps: SharedAccountsDeps
  readonly #used: Slots
  readonly #states = new Map<string, Mutable<AccountState>>()
  /** Connections in workers that an account here knows. */
  readonly #members = new Map<number, Map<number, { readonly account: Account; readonly member: Member }>>()
  /** As counted in the main thread, by slot. */
  readonly #counted = new Map<number, UsedTraffic>()
  #closed: { readonly email: string; readonly slot: number }[] = []

  constructor(deps: SharedAccountsDeps) {
    this.#deps = deps
    this.#used = new Slots(usedTrafficStride(deps.threads), (segment) => deps.tell({ type: 'segment', segment }))
    this.accounts = new Accounts(deps.clock, (email) => this.#share(email))
    this.accounts.watch({ closed: ({ email }) => this.#close(email) })
  }

  /** What a worker must know before it can serve. */
  *greeting(): Iterable<ToWorker> {
    for (const segment of this.#used.segments) yield { type: 'segment', segment }
    for (const account of this.#states.values()) yield { type: 'account', account }
  }

  /**
   * Tells of accounts that are no more: after the users were taken out of whom they are. Once every worker has heard that,
   * nobody counts in their slots, and what is returned lets others have them.
   */
  settle(): () => void {
    const closed = this.#closed
    this.#closed = []
    for (const account of closed) this.#deps.tell({ type: 'closed', ...account })
    return () => {
      for (const { slot } of closed) this.#free(slot)
    }
  }

  /** Answers a worker that asks for one of its connections. */
  admit(worker: number, asking: Asking, totals: Float64Array, answer: (message: ToWorker) => void): void {
    const { email, host, member: id } = asking
    const account = this.accounts.get(email)
    const member: Member = {
      host,
      totals: summedTotals(totals, 0),
      end: (reason) => answer({ type: 'end', member: id, error: errorText(reason) }),
    }
    try {
      if (!account || this.#states.get(email.toLowerCase())?.slot !== asking.account) throw removed()
      if (asking.type === 'joined') account.adopt([member])
      else account.admit(member)
      this.#of(worker).set(id, { account, member })
      if (asking.type === 'admit') answer({ type: 'admitted', member: id })
    } catch (error) {
      if (!isProxyError(error)) throw error
      answer({ type: asking.type === 'admit' ? 'refused' : 'end', member: id, error: errorText(error) })
    }
  }

  leave(worker: number, id: number): void {
    const known = this.#of(worker).get(id)
    this.#of(worker).delete(id)
    known?.account.leave(known.member)
  }

  /** A worker has found that a quota is used up. */
  spent(email: string): void {
    this.accounts.get(email)?.spend('uplink', 0)
  }

  /** A worker has ended: its connections are gone, and what it held of speed limits is anybody's. */
  lost(worker: number): void {
    for (const id of [...this.#of(worker).keys()]) this.leave(worker, id)
    this.#members.delete(worker)
    for (const { buckets } of this.#states.values()) {
      for (const memory of buckets ? [buckets.uplink, buckets.downlink] : []) this.#bucket(memory).forget(worker)
    }
  }

  #of(worker: number) {
    const members = this.#members.get(worker) ?? new Map<number, { account: Account; member: Member }>()
    this.#members.set(worker, members)
    return members
  }

  #share(email: string) {
    const slot = this.#used.take()
    const state: Mutable<AccountState> = { email, slot, limits: unlimited, governed: false }
    const used = new UsedTraffic(this.#used.viewOf(slot), 0)
    let told = false
    this.#states.set(email.toLowerCase(), state)
    this.#counted.set(slot, used)
    return {
      used: used.totals,
      spend: (direction: keyof Totals, bytes: number) => used.spend(direction, bytes),
      bucket: (direction: keyof Totals) => this.#bucket(this.#bucketsOf(state)[direction]),
      limited: (limits: UserLimits) => {
        if (told && sameLimits(limits, state.limits)) return
        told = true
        state.limits = limits
        // Who was known once is known until the account is gone: connections that run need not be asked for again.
        state.governed ||= isGoverned(limits)
        if (limits.uplink > 0 || limits.downlink > 0) this.#bucketsOf(state)
        this.#deps.tell({ type: 'account', account: { ...state } })
      },
    }
  }

  #bucketsOf(state: Mutable<AccountState>): NonNullable<AccountState['buckets']> {
    const { threads } = this.#deps
    state.buckets ??= { uplink: bucketMemory(threads), downlink: bucketMemory(threads) }
    return state.buckets
  }

  #bucket(memory: SharedArrayBuffer): SharedBucket {
    return new SharedBucket(memory, 0, () => this.#deps.clock.elapsed())
  }

  #free(slot: number): void {
    this.#counted.get(slot)?.detach()
    this.#counted.delete(slot)
    this.#used.giveBack(slot)
  }

  /** Its slot is another's only when nobody counts there: a connection of it may still end. */
  #close(email: string): void {
    const state = this.#states.get(email.toLowerCase())
    if (!state) return
    this.#states.delete(email.toLowerCase())
    this.#closed.push({ email, slot: state.slot })
  }
}

/** Whether more has to be known than speeds to let somebody in. */
const isGoverned = (limits: UserLimits): boolean => {
  const { uplink, downlink, addressGraceS } = unlimited
  return !sameLimits({ ...limits, uplink, downlink, addressGraceS }, unlimited)
}

const removed = (): ProxyError => new ProxyError('USER_REMOVED', 'the user was removed')

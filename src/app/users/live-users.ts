import type { AccountBook } from '../../account/book.ts'
import { ProxyError } from '../../core/errors.ts'
import { equalBytes } from '../../crypto/hash.ts'
import type { VmessUser } from '../../settings/model.ts'
import type { Flow } from '../flow/flow.ts'
import type { Flows } from '../flow/flows.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'

/** Users whom no operator entered, and who are there for the sake of others. */
export interface Guests {
  /** True for a user whom a detour made: no configuration has it, and it goes with the user for whom it was made. */
  made(user: VmessUser): boolean
  /** A user is gone, and so are its guests; returns how many of their sessions ended. */
  removed(inbound: RunningInbound, user: VmessUser): number
  changed(inbound: RunningInbound, before: VmessUser, after: VmessUser): void
  left(inbound: RunningInbound): void
}

/** Users of VMess inbounds as they come and go: the directory of the inbound, the account, and the sessions go together. */
export class LiveUsers {
  readonly #accounts: AccountBook
  readonly #flows: Flows
  /** Inbounds at work. A session may be older than the inbound that its user is in now: a reload can rename one. */
  readonly #inbounds = new Set<object>()
  guests: Guests | undefined

  constructor(accounts: AccountBook, flows: Flows) {
    this.#accounts = accounts
    this.#flows = flows
  }

  /** Opens the accounts of an inbound that is about to start. */
  enter(inbound: RunningInbound): void {
    this.#inbounds.add(inbound)
    for (const user of inbound.users ?? []) this.#accounts.open(user.email, user.limits)
  }

  /** Closes the accounts of an inbound that is gone. */
  leave(inbound: RunningInbound): void {
    this.#inbounds.delete(inbound)
    for (const user of inbound.users ?? []) this.#accounts.close(user.email)
    this.guests?.left(inbound)
  }

  /** A guest with the same e-mail gives way. @throws ProxyError CONTROL_NOT_FOUND, CONTROL_CONFLICT */
  add(inbound: RunningInbound, user: VmessUser): void {
    const users = directoryOf(inbound)
    if (users.get(user.id)) {
      throw new ProxyError('CONTROL_CONFLICT', `the inbound "${inbound.tag}" has a user with this id already`)
    }
    this.#dismissGuest(inbound, user)
    if (user.email !== '' && users.find(user.email)) {
      throw new ProxyError('CONTROL_CONFLICT', `the inbound "${inbound.tag}" has a user "${user.email}" already`)
    }
    users.add(user)
    this.#accounts.open(user.email, user.limits)
  }

  /**
   * Puts `user` in the place of the one with the same id. Its sessions live on; they are shown and counted under the e-mail
   * that they began with, but the limits are those of the one that the user has now.
   */
  change(inbound: RunningInbound, user: VmessUser): void {
    const users = directoryOf(inbound)
    const before = users.get(user.id)
    this.#dismissGuest(inbound, user)
    users.add(user)
    this.#accounts.open(user.email, user.limits)
    if (!before) return
    this.#accounts.close(before.email)
    if (before.email.toLowerCase() !== user.email.toLowerCase()) {
      const account = this.#accounts.get(user.email)
      for (const flow of this.#flows) if (this.#isOf(flow, inbound, user)) flow.moveTo(account)
    }
    this.guests?.changed(inbound, before, user)
  }

  /** Takes the user out and ends its sessions; returns how many these were. */
  remove(inbound: RunningInbound, user: VmessUser): number {
    if (!directoryOf(inbound).remove(user.id)) return 0
    const reason = new ProxyError('USER_REMOVED', 'the user was removed')
    const ended = this.#flows.end(reason, (flow) => this.#isOf(flow, inbound, user))
    this.#accounts.close(user.email)
    return ended + (this.guests?.removed(inbound, user) ?? 0)
  }

  #isOf({ origin, user: { id } }: Flow, inbound: RunningInbound, user: VmessUser): boolean {
    return (origin === inbound || !this.#inbounds.has(origin)) && id !== undefined && equalBytes(id, user.id)
  }

  #dismissGuest(inbound: RunningInbound, { email, id }: VmessUser): void {
    const namesake = email === '' ? undefined : inbound.users?.find(email)
    if (namesake && this.guests?.made(namesake) && !equalBytes(namesake.id, id)) this.remove(inbound, namesake)
  }
}

function directoryOf({ users, tag }: RunningInbound): NonNullable<RunningInbound['users']> {
  if (!users) throw new ProxyError('CONTROL_NOT_FOUND', `the inbound "${tag}" is not vmess: it has no users`)
  return users
}

import type { Accounts } from '../account/accounts.ts'
import type { VmessUser } from '../config/model.ts'
import { ProxyError } from '../core/errors.ts'
import type { Flows } from './flows.ts'
import type { RunningInbound } from './running-inbound.ts'

/** Users of VMess inbounds as they come and go: the directory of the inbound, the account, and the sessions go together. */
export class LiveUsers {
  readonly #accounts: Accounts
  readonly #flows: Flows

  constructor(accounts: Accounts, flows: Flows) {
    this.#accounts = accounts
    this.#flows = flows
  }

  /** Opens the accounts of an inbound that is about to start. */
  enter(inbound: RunningInbound): void {
    for (const user of inbound.users ?? []) this.#accounts.open(user.email, user.limits)
  }

  /** Closes the accounts of an inbound that is gone. */
  leave(inbound: RunningInbound): void {
    for (const user of inbound.users ?? []) this.#accounts.close(user.email)
  }

  /** @throws ProxyError CONTROL_NOT_FOUND, CONTROL_CONFLICT */
  add(inbound: RunningInbound, user: VmessUser): void {
    const users = directoryOf(inbound)
    if (user.email !== '' && users.find(user.email)) {
      throw new ProxyError('CONTROL_CONFLICT', `the inbound "${inbound.tag}" has a user "${user.email}" already`)
    }
    if (users.get(user.id)) {
      throw new ProxyError('CONTROL_CONFLICT', `the inbound "${inbound.tag}" has a user with this id already`)
    }
    users.add(user)
    this.#accounts.open(user.email, user.limits)
  }

  /** Puts `user` in the place of the one with the same id. Its sessions live on, under the e-mail they began with. */
  change(inbound: RunningInbound, user: VmessUser): void {
    const users = directoryOf(inbound)
    const before = users.get(user.id)
    users.add(user)
    this.#accounts.open(user.email, user.limits)
    if (before) this.#accounts.close(before.email)
  }

  /** Takes the user out and ends its sessions; returns how many these were. */
  remove(inbound: RunningInbound, user: VmessUser): number {
    if (!directoryOf(inbound).remove(user.id)) return 0
    const reason = new ProxyError('USER_REMOVED', 'the user was removed')
    const ended = this.#flows.end(reason, (flow) => flow.origin === inbound && sameId(flow.user.id, user.id))
    this.#accounts.close(user.email)
    return ended
  }
}

function directoryOf({ users, tag }: RunningInbound): NonNullable<RunningInbound['users']> {
  if (!users) throw new ProxyError('CONTROL_NOT_FOUND', `the inbound "${tag}" is not vmess: it has no users`)
  return users
}

const sameId = (a: Uint8Array | undefined, b: Uint8Array): boolean => a?.every((byte, i) => byte === b[i]) === true

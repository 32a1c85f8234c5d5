import { ProxyError } from '../../core/errors.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { Config, InboundConfig, VmessUser } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import type { Instance } from '../instance/instance.ts'
import { diffUsers, limitsByEmail, mergeUser, vmessUsers } from './config-diff.ts'

/** The users of a reload. In between, an account may lose its last user and get another: what it has used must stay. */
export class UserChanges {
  readonly #instance: Instance
  readonly #before: ReadonlyMap<string, UserLimits>
  readonly #after: ReadonlyMap<string, UserLimits>
  readonly #held: readonly string[]

  constructor(instance: Instance, next: Config) {
    this.#instance = instance
    this.#before = limitsByEmail(instance.config)
    this.#after = limitsByEmail(next)
    this.#held = [...this.#after.keys()].filter((email) => instance.accounts.get(email))
    for (const email of this.#held) instance.accounts.open(email)
  }

  /** Users of an inbound that stays: what the files say differently. `before` is absent for one that came by an API. */
  update(inbound: RunningInbound, before: InboundConfig | undefined, after: InboundConfig): void {
    const { users } = this.#instance
    const directory = inbound.users
    if (!directory) return
    const diff = diffUsers(usersOf(before), usersOf(after))
    for (const { id } of diff.removed) {
      const live = directory.get(id)
      if (live) users.remove(inbound, live)
    }
    for (const change of diff.changed) {
      const live = directory.get(change.after.id)
      if (live) users.change(inbound, this.#limited(mergeUser(live, change.before, change.after)))
    }
    for (const user of diff.added) {
      const namesake = user.email === '' ? undefined : directory.find(user.email)
      if (namesake && !same(namesake.id, user.id)) users.remove(inbound, namesake)
      users.change(inbound, this.#limited(user))
    }
  }

  /** The limits of an e-mail are the same in every inbound, however they are written there. */
  #limited({ limits, ...user }: VmessUser): VmessUser {
    const those = limits && this.#after.get(user.email.toLowerCase())
    return { ...user, ...(those && { limits: those }) }
  }

  /** Once the inbounds are those of the new configuration: limits that changed hold, and who is nowhere any more is gone. */
  finish(removals: readonly RunningInbound[]): void {
    const { accounts, inbounds, flows } = this.#instance
    for (const [email, limits] of this.#after) {
      if (!same(limits, this.#before.get(email) ?? unlimited)) accounts.get(email)?.configure(limits)
    }
    const isKnown = (id: Uint8Array) => inbounds.some(({ users }) => users?.get(id) !== undefined)
    // Whoever is about to say who he is on a connection of theirs must be known elsewhere.
    for (const { users } of removals) users?.replace([...users].filter(({ id }) => isKnown(id)))
    const live = new Set<object>(inbounds)
    const reason = new ProxyError('USER_REMOVED', 'the user was removed')
    flows.end(reason, ({ origin, user: { id } }) => id !== undefined && !live.has(origin) && !isKnown(id))
    for (const email of this.#held) accounts.close(email)
  }
}

const usersOf = (inbound: InboundConfig | undefined) => vmessUsers({ inbounds: inbound ? [inbound] : [] })

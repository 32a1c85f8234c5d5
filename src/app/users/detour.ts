import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import type { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import type { InboundConfig, VmessUser } from '../../settings/model.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import { formatUuid, parseId, randomUuid } from './ids.ts'
import type { Guests, LiveUsers } from './live-users.ts'

type Users = UserDirectory<VmessUser>

/** An account on a target that users of a front inbound are told of. */
interface Lent {
  readonly id: Uint8Array
  /** Made here, and not a user that was there anyway. */
  readonly made: boolean
  /** Front inbounds whose user with this key was told. */
  readonly fronts: Set<Users>
}

export interface DetourDeps {
  readonly env: Env
  readonly users: LiveUsers
  readonly inbound: (tag: string) => RunningInbound | undefined
}

/**
 * Answers clients of one inbound with an account on another. A user has the same account there at every request: the one
 * with the same e-mail, or one that was made for the first request and goes when the user does.
 */
export class Detour implements Guests {
  readonly #env: Env
  readonly #users: LiveUsers
  readonly #inbound: (tag: string) => RunningInbound | undefined
  readonly #warningDue: (key: string) => boolean
  /** By target, and by key. There are never more than front users. */
  readonly #lent = new Map<RunningInbound, Map<string, Lent>>()
  /** Ids of the users that were made. */
  readonly #made = new Set<string>()

  constructor({ env, users, inbound }: DetourDeps) {
    this.#env = env
    this.#users = users
    this.#inbound = inbound
    this.#warningDue = onceEvery(env.clock, limits.detourWarningMs)
    users.guests = this
  }

  /** What answers the requests of an inbound; undefined for one without a detour. */
  of(front: InboundConfig, users: Users | undefined): ((user: VmessUser) => SwitchAccount | undefined) | undefined {
    const to = front.protocol === 'vmess' ? front.settings.detourTo : undefined
    if (to === undefined || !users) return undefined
    return (user) => this.#command(front.tag, users, to, user)
  }

  made({ id }: VmessUser): boolean {
    return this.#made.has(formatUuid(id))
  }

  removed(inbound: RunningInbound, user: VmessUser): number {
    this.#made.delete(formatUuid(user.id))
    let ended = 0
    for (const target of this.#lent.keys()) ended += this.#giveBack(target, keyOf(user), inbound)
    return ended
  }

  changed(inbound: RunningInbound, before: VmessUser, after: VmessUser): void {
    const from = keyOf(before)
    const to = keyOf(after)
    if (from === to) return
    for (const [target, lent] of this.#lent) {
      const account = lent.get(from)
      const guest = account?.made && account.fronts.size === 1 && target.users?.get(account.id)
      const free = !lent.has(to) && !target.users?.find(after.email)
      if (guest && free && inbound.users && account.fronts.has(inbound.users)) {
        // Clients hold this account: it is kept, under the name that its user has now.
        lent.delete(from)
        lent.set(to, account)
        this.#users.change(target, { ...guest, email: after.email })
      } else this.#giveBack(target, from, inbound)
    }
  }

  left(inbound: RunningInbound): void {
    for (const { id } of this.#lent.get(inbound)?.values() ?? []) this.#made.delete(formatUuid(id))
    this.#lent.delete(inbound)
    for (const [target, lent] of this.#lent) {
      for (const key of [...lent.keys()]) this.#giveBack(target, key, inbound)
    }
  }

  #command(tag: string, front: Users, to: string, user: VmessUser): SwitchAccount | undefined {
    const target = this.#inbound(to)
    if (!target) {
      if (this.#warningDue(`${tag} ${to}`)) {
        this.#env.log.warn({ inbound: tag }, `the detour leads to "${to}", and there is no inbound with this tag`)
      }
      return undefined
    }
    const { config, users } = target
    if (config.protocol !== 'vmess' || !users) return undefined
    const live = target.randomPort()
    if (!live) return undefined
    const { id, alterId, level } = this.#account(front, user, target, users, config.settings.default)
    return { host: '', port: live.port, id, alterId, level, validMinutes: live.minutes }
  }

  /** The account of a front user on the target: the same as before, one with the same e-mail, or a new one. */
  #account(
    front: Users,
    user: VmessUser,
    target: RunningInbound,
    users: Users,
    defaults: { readonly level: number; readonly alterId: number },
  ): VmessUser {
    const lent = this.#lent.get(target) ?? new Map<string, Lent>()
    this.#lent.set(target, lent)
    const key = keyOf(user)
    const known = lent.get(key)
    const before = known && users.get(known.id)
    if (before && sameEmail(before, user)) {
      known.fronts.add(front)
      return before
    }
    const namesake = this.#namesake(user.email, users)
    const account = namesake ?? { ...this.#newUser(user.email), ...defaults }
    if (!namesake) {
      this.#users.add(target, account)
      this.#made.add(formatUuid(account.id))
    }
    lent.set(key, { id: account.id, made: !namesake, fronts: new Set([front]) })
    return account
  }

  /** A user of the target's own. One made for another front user without e-mail is not shared: it goes with that user. */
  #namesake(email: string, users: Users): VmessUser | undefined {
    if (email !== '') return users.find(email)
    for (const user of users) if (user.email === '' && !this.made(user)) return user
    return undefined
  }

  #newUser(email: string): Omit<VmessUser, 'alterId' | 'level'> {
    const experiments = { authenticatedLength: false, noTerminationSignal: false }
    return { id: parseId(randomUuid(this.#env.random)), email, experiments }
  }

  /** A front has no use for an account any more; one that was made goes with the last of them. Returns how many sessions ended. */
  #giveBack(target: RunningInbound, key: string, { users: front }: RunningInbound): number {
    const lent = this.#lent.get(target)
    const account = lent?.get(key)
    if (!front || !account?.fronts.delete(front) || account.fronts.size > 0) return 0
    lent?.delete(key)
    const guest = account.made && target.users?.get(account.id)
    return guest ? this.#users.remove(target, guest) : 0
  }
}

/** What tells the users of a front apart. */
const keyOf = ({ email, id }: VmessUser): string =>
  email === '' ? `id ${formatUuid(id)}` : `email ${email.toLowerCase()}`

const sameEmail = (a: VmessUser, b: VmessUser): boolean => a.email.toLowerCase() === b.email.toLowerCase()

import type { NewUser, UserChange, UserView } from '../../control/control.ts'
import { emailFault } from '../../core/email.ts'
import { type Random, redactId } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { VmessUser } from '../../settings/model.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import type { Instance } from '../instance.ts'
import { formatUuid, parseId, randomUuid } from '../users/ids.ts'

type VmessInbound = RunningInbound & { readonly users: NonNullable<RunningInbound['users']> }
type Held = { readonly inbound: VmessInbound; readonly user: VmessUser }

/** Users of all inbounds, seen and changed by their e-mail. */
export class UserControl {
  readonly #instance: Instance
  readonly #random: Random

  constructor(instance: Instance, random: Random) {
    this.#instance = instance
    this.#random = random
  }

  /** Those with an e-mail once each, in the order of the inbounds. */
  all(): UserView[] {
    const byEmail = new Map<string, Held[]>()
    for (const inbound of this.#vmess()) {
      for (const user of inbound.users) {
        const key = user.email === '' ? `${inbound.at} ${formatUuid(user.id)}` : user.email.toLowerCase()
        const held = byEmail.get(key)
        if (held) held.push({ inbound, user })
        else byEmail.set(key, [{ inbound, user }])
      }
    }
    return [...byEmail.values()].map((held) => this.#view(held))
  }

  find(email: string): UserView | undefined {
    const held = this.#held(email)
    return held.length > 0 ? this.#view(held) : undefined
  }

  /** @throws ProxyError CONTROL_NOT_FOUND */
  mustHave(email: string): readonly Held[] {
    const held = this.#held(email)
    if (held.length === 0) throw new ProxyError('CONTROL_NOT_FOUND', `there is no user "${email}"`)
    return held
  }

  add(
    inbound: RunningInbound,
    { id: text, email, level = 0, alterId = 0, limits }: NewUser,
  ): { user: UserView; id: string } {
    const fault = emailFault(email)
    if (fault) throw new ProxyError('CONTROL_INVALID', fault)
    if (email === '' && limits) {
      throw new ProxyError('CONTROL_INVALID', 'limits are kept by e-mail, and this user has none')
    }
    const id = parseId(text ?? randomUuid(this.#random))
    const experiments = { authenticatedLength: false, noTerminationSignal: false }
    const user: VmessUser = {
      id,
      email,
      level,
      alterId,
      experiments,
      ...(limits && { limits: merged(this.#limitsOf(email), limits) }),
    }
    this.#instance.users.add(inbound, user)
    // Limits that are given now hold, whatever is still known of an earlier user of this name.
    if (user.limits) this.#instance.accounts.get(email)?.change(user.limits)
    return { user: this.#view([{ inbound: inbound as VmessInbound, user }]), id: formatUuid(id) }
  }

  change(email: string, { level, limits }: UserChange): UserView {
    const held = this.mustHave(email)
    if (limits) this.#instance.accounts.get(email)?.change(merged(this.#limitsOf(email), limits))
    if (level !== undefined) {
      for (const { inbound, user } of held) {
        // Limits given with the user are not new: what an API changed since must stay.
        const { limits: _given, ...rest } = user
        this.#instance.users.change(inbound, { ...rest, level })
      }
    }
    return this.#view(this.mustHave(email))
  }

  remove(email: string, only: RunningInbound | undefined): number {
    const held = this.mustHave(email).filter(({ inbound }) => only === undefined || inbound === only)
    if (held.length === 0) {
      throw new ProxyError('CONTROL_NOT_FOUND', `the inbound "${only?.tag}" has no user "${email}"`)
    }
    return held.reduce((ended, { inbound, user }) => ended + this.#instance.users.remove(inbound, user), 0)
  }

  resetUsage(email: string): UserView {
    const held = this.mustHave(email)
    this.#instance.accounts.get(email)?.resetUsage()
    return this.#view(held)
  }

  #limitsOf(email: string): UserLimits {
    return this.#instance.accounts.get(email)?.limits ?? unlimited
  }

  #vmess(): VmessInbound[] {
    return this.#instance.inbounds.filter((inbound): inbound is VmessInbound => inbound.users !== undefined)
  }

  #held(email: string): Held[] {
    if (email === '') return []
    return this.#vmess().flatMap((inbound) => {
      const user = inbound.users.find(email)
      return user ? [{ inbound, user }] : []
    })
  }

  #view(held: readonly Held[]): UserView {
    const email = held[0]?.user.email ?? ''
    const account = this.#instance.accounts.get(email)
    const members = [...(account?.members ?? [])]
    return {
      email,
      inbounds: held.map(({ inbound, user }) => ({
        tag: inbound.tag,
        id: redactId(formatUuid(user.id)),
        level: user.level,
        alterId: user.alterId,
      })),
      limits: account?.limits ?? unlimited,
      used: account ? { ...account.used } : { uplink: 0, downlink: 0 },
      connections: members.length,
      addresses: [...new Set(members.map(({ host }) => host))],
    }
  }
}

/** Fields that are given and not undefined take the place of those that hold. */
function merged(base: UserLimits, change: Partial<UserLimits>): UserLimits {
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...base, ...Object.fromEntries(given) }
}

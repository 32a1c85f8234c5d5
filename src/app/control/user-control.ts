import type { LimitsView, NewUser, UserChange, UserView } from '../../control/control.ts'
import { type Page, type PageQuery, pageOf } from '../../control/page.ts'
import { emailFault } from '../../core/email.ts'
import { type Env, redactId } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { mapInSlices } from '../../core/time/slices.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import { sha256 } from '../../crypto/hash.ts'
import { readNewUser, readUserChange, type UserRequest } from '../../schema/parts/user-request.ts'
import type { VmessUser } from '../../settings/model.ts'
import type { RunningInbound } from '../inbound/running-inbound.ts'
import type { Instance } from '../instance/instance.ts'
import { formatUuid, parseId, randomUuid } from '../users/ids.ts'

type VmessInbound = RunningInbound & { readonly users: NonNullable<RunningInbound['users']> }
type Held = { readonly inbound: VmessInbound; readonly user: VmessUser }

/** Users of all inbounds, seen and changed by their e-mail. */
export class UserControl {
  readonly #instance: Instance
  readonly #env: Env

  constructor(instance: Instance, env: Env) {
    this.#instance = instance
    this.#env = env
  }

  /** Those with an e-mail once each, in the order of the inbounds. */
  all(): Promise<UserView[]> {
    return mapInSlices(this.#env.clock, this.#once(), (held) => this.#view(this.#everywhere(held)))
  }

  async page(query: PageQuery<string>): Promise<Page<UserView, string>> {
    const { items, ...more } = await pageOf(this.#env.clock, this.#keyed(), query)
    return { items: await mapInSlices(this.#env.clock, items, (held) => this.#view(this.#everywhere(held))), ...more }
  }

  /** Every user, by the first inbound that it is in. */
  *#once(): Iterable<Held> {
    const before: VmessInbound[] = []
    for (const inbound of this.#vmess()) {
      for (const user of inbound.users) {
        if (user.email === '' || before.every(({ users }) => !users.find(user.email))) yield { inbound, user }
      }
      before.push(inbound)
    }
  }

  *#keyed(): Iterable<readonly [key: string, held: Held]> {
    for (const held of this.#once()) yield [keyOf(held), held]
  }

  #everywhere(held: Held): readonly Held[] {
    return held.user.email === '' ? [held] : this.#held(held.user.email)
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

  add(inbound: RunningInbound, user: NewUser): { user: UserView; id: string } {
    const request = readNewUser(user, this.#env.clock.now())
    this.#warn(request)
    return this.#add(inbound, request)
  }

  #add(inbound: RunningInbound, { id: text, email, level = 0, alterId = 0, limits }: UserRequest & { email: string }) {
    const fault = emailFault(email)
    if (fault) throw new ProxyError('CONTROL_INVALID', fault, { field: 'email' })
    if (email === '' && limits) {
      throw new ProxyError('CONTROL_INVALID', 'limits are kept by e-mail, and this user has none', { field: 'email' })
    }
    const id = parseId(text ?? randomUuid(this.#env.random))
    const experiments = { authenticatedLength: false, noTerminationSignal: false }
    const user: VmessUser = {
      id,
      email,
      level,
      alterId,
      experiments,
      ...(limits && { limits: { ...this.#limitsOf(email), ...limits } }),
    }
    this.#instance.users.add(inbound, user)
    // Limits that are given now hold, whatever is still known of an earlier user of this name.
    try {
      if (user.limits) this.#instance.accounts.get(email)?.change(user.limits)
    } catch (error) {
      this.#instance.users.remove(inbound, user)
      throw error
    }
    return { user: this.#view([{ inbound: inbound as VmessInbound, user }]), id: formatUuid(id) }
  }

  change(email: string, change: UserChange): UserView {
    const held = this.mustHave(email)
    const request = readUserChange(change, this.#env.clock.now())
    this.#warn(request)
    const { level, limits } = request
    if (limits) this.#instance.accounts.get(email)?.change({ ...this.#limitsOf(email), ...limits })
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

  #warn({ warnings }: UserRequest): void {
    for (const { code, path, message } of warnings) this.#env.log.warn({ code }, `by API: ${path}: ${message}`)
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
      limits: limitsView(account?.limits ?? unlimited),
      used: account ? { ...account.used } : { uplink: 0, downlink: 0 },
      firstUse: account?.firstUse ? new Date(account.firstUse).toISOString() : null,
      connections: members.length,
      addresses: [...new Set(members.map(({ host }) => host))],
    }
  }
}

/** Behind every e-mail stand those without one; their ids are secret, so that their digests must do. */
const keyOf = ({ inbound, user }: Held): string =>
  user.email === '' ? `\uffff${inbound.at} ${digestText(user.id)}` : user.email.toLowerCase()

const digestText = (id: Uint8Array): string =>
  Array.from(sha256(id).subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0')).join('')

const limitsView = ({ addressGraceS, expiresAt, expiresAfterMs, ...same }: UserLimits): LimitsView => ({
  ...same,
  addressGrace: addressGraceS,
  expires: expiresAt === 0 ? null : new Date(expiresAt).toISOString(),
  expiresAfter: expiresAfterMs / 1000,
})

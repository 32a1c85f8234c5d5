import type { Cancel, Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Totals } from '../core/session.ts'
import type { Pace } from '../core/streams/meter.ts'
import { sameLimits, type UserLimits } from '../core/user-limits.ts'
import { Addresses } from './addresses.ts'
import type { Member, SharedAccount } from './book.ts'
import { SpeedLimit } from './pace.ts'
import type { SharedState } from './shared-state.ts'

class Members extends Set<Member> {}
const nobody: ReadonlySet<Member> = new Set()
/** Shared by all users without a speed limit. */
const unpaced = {}

/** A user by e-mail: what all inbounds and all connections of the user share. */
export class Account implements SharedAccount {
  readonly email: string
  /** Plaintext bytes that count against the quota. */
  readonly used: Totals
  readonly #clock: Clock
  /** A set of its own only while there are any: most users of a large file are not connected. */
  #members: ReadonlySet<Member> = nobody
  readonly #changed: (account: Account) => void
  /** While there are members. */
  #addresses: Addresses | undefined
  /** Where there is a limit, or was one. */
  #speed: { readonly uplink?: SpeedLimit; readonly downlink?: SpeedLimit } = unpaced
  readonly #shared: SharedState
  #cancelExpiry: Cancel | undefined
  #configured: UserLimits
  #limits: UserLimits
  /** Milliseconds since the epoch; 0: not yet. */
  #firstUse = 0

  /** `changed` is told what an operator changes. */
  constructor(
    email: string,
    limits: UserLimits,
    clock: Clock,
    changed: (account: Account) => void = () => {},
    shared: SharedState = {},
  ) {
    this.email = email
    this.#shared = shared
    this.used = shared.used ?? { uplink: 0, downlink: 0 }
    this.#configured = limits
    this.#limits = limits
    this.#clock = clock
    this.#changed = changed
    this.#enforce()
  }

  /** Limits as the user was entered with: by the configuration, or by the API that added the user. */
  get configured(): UserLimits {
    return this.#configured
  }

  /** Limits that hold: those configured, unless an operator changed them since. */
  get limits(): UserLimits {
    return this.#limits
  }

  /** When the time of `expiresAfterMs` began, in milliseconds since the epoch; 0: not yet, or there is no such limit. */
  get firstUse(): number {
    return this.#limits.expiresAfterMs > 0 ? this.#firstUse : 0
  }

  /** Connections in progress. */
  get members(): ReadonlySet<Member> {
    return this.#members
  }

  /**
   * An operator's word: these limits hold from now on, for connections in progress too. Whoever is told of changes can
   * refuse one by throwing, and then nothing has changed.
   */
  change(limits: UserLimits): void {
    const before = this.#limits
    this.#limits = limits
    try {
      this.#changed(this)
    } catch (error) {
      this.#limits = before
      throw error
    }
    this.#enforce()
  }

  /** The configuration's word: new limits hold from now on; the same as before leave alone what an operator changed. */
  configure(limits: UserLimits): void {
    if (sameLimits(limits, this.#configured)) return
    this.#configured = limits
    this.#limits = limits
    this.#enforce()
  }

  /** Takes up what was kept of an earlier account: traffic, first use, and the limits that an operator had changed. */
  restore(kept: Readonly<Totals> & { readonly firstUse?: number }, limits: UserLimits | undefined): void {
    this.used.uplink += kept.uplink
    this.used.downlink += kept.downlink
    if (limits) this.#limits = limits
    if (kept.firstUse) this.#firstUse = kept.firstUse
    this.#enforce()
  }

  admit(member: Member): void {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    const { connections } = this.#limits
    if (connections > 0 && this.#members.size >= connections) {
      throw new ProxyError(
        'USER_CONNECTIONS',
        `the user has ${connections === 1 ? 'one connection' : `${connections} connections`}, as many as permitted`,
      )
    }
    this.#addresses ??= new Addresses(this.#clock, this.#limits)
    this.#addresses.admit(member)
    this.#enter(member)
    this.#beginUse()
    if (this.#members.size === 1) this.#watchExpiry()
  }

  /** Takes in connections that were let in elsewhere; then limits hold for them as for those that run already. */
  adopt(members: Iterable<Member>): void {
    this.#addresses ??= new Addresses(this.#clock, this.#limits)
    for (const member of members) {
      this.#enter(member)
      this.#addresses.adopt(member)
    }
    this.#enforce()
  }

  #enter(member: Member): void {
    if (this.#members instanceof Members) this.#members.add(member)
    else this.#members = new Members([member])
  }

  leave(member: Member): void {
    if (!(this.#members instanceof Members) || !this.#members.delete(member)) return
    this.#addresses?.leave(member)
    if (this.#members.size > 0) return
    this.#members = nobody
    this.#addresses = undefined
    this.#watchExpiry()
  }

  spend(direction: keyof Totals, bytes: number): void {
    const used = this.#shared.spend ? this.#shared.spend(direction, bytes) : this.#count(direction, bytes)
    const { quota } = this.#limits
    if (quota > 0 && used > quota) this.#endAll()
  }

  #count(direction: keyof Totals, bytes: number): number {
    this.used[direction] += bytes
    return this.used.uplink + this.used.downlink
  }

  /** Counts from zero again, unless whoever is told of it refuses. */
  resetUsage(): void {
    const before = { ...this.used }
    Object.assign(this.used, { uplink: 0, downlink: 0 })
    try {
      this.#changed(this)
    } catch (error) {
      Object.assign(this.used, before)
      throw error
    }
  }

  pace(direction: keyof Totals): Pace | undefined {
    const limit = this.#speed[direction]
    return limit && limit.rate > 0 ? limit : undefined
  }

  /** Why this user is turned away, whatever the connection. */
  #refusal(): ProxyError | undefined {
    const { enabled, quota } = this.#limits
    const expiresAt = this.#expiresAt
    if (!enabled) return new ProxyError('USER_DISABLED', 'the user is disabled')
    if (expiresAt > 0 && this.#clock.now() >= expiresAt) {
      return new ProxyError('USER_EXPIRED', `the user expired at ${new Date(expiresAt).toISOString()}`)
    }
    if (quota > 0 && this.used.uplink + this.used.downlink >= quota) {
      return new ProxyError('USER_QUOTA', `the user has used up the quota of ${quota} bytes`)
    }
    return undefined
  }

  /** Milliseconds since the epoch; 0: never, or not known before the first use. */
  get #expiresAt(): number {
    const { expiresAt, expiresAfterMs } = this.#limits
    if (this.firstUse === 0) return expiresAt
    const after = this.firstUse + expiresAfterMs
    return expiresAt > 0 ? Math.min(expiresAt, after) : after
  }

  /** Whoever is connected uses it. Without a limit that counts from the first use, that is forgotten: a new one begins anew. */
  #beginUse(): void {
    if (this.#limits.expiresAfterMs === 0) this.#firstUse = 0
    else if (this.#firstUse === 0 && this.#members.size > 0) this.#firstUse = this.#clock.now()
  }

  /** Makes the limits hold for what runs already. Fewer connections than there are end none. */
  #enforce(): void {
    this.#shared.limited?.(this.#limits)
    this.#limitSpeed('uplink')
    this.#limitSpeed('downlink')
    this.#beginUse()
    this.#endAll()
    this.#addresses?.limit(this.#limits)
    this.#watchExpiry()
  }

  #limitSpeed(direction: keyof Totals): void {
    const rate = this.#limits[direction]
    if (rate > 0 && !this.#speed[direction]) {
      const made = new SpeedLimit(this.#clock, this.#shared.bucket?.(direction))
      this.#speed = { ...this.#speed, [direction]: made }
    }
    const limit = this.#speed[direction]
    if (limit) limit.rate = rate
  }

  /** Ends every connection when the user is not welcome any more. */
  #endAll(): void {
    const refusal = this.#refusal()
    if (refusal) for (const member of [...this.#members]) member.end(refusal)
  }

  /** The clock is asked again when the timer fires: it may have been corrected meanwhile. */
  #watchExpiry(): void {
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
    const expiresAt = this.#expiresAt
    const left = expiresAt - this.#clock.now()
    if (expiresAt === 0 || left <= 0 || this.#members.size === 0) return
    this.#cancelExpiry = this.#clock.after(left, () => {
      this.#endAll()
      this.#watchExpiry()
    })
  }
}

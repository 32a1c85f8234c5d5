import type { Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Pace } from '../core/meter.ts'
import type { Totals } from '../core/session.ts'
import type { UserLimits } from '../core/user-limits.ts'

/** One connection of a user, as far as limits are concerned. */
export interface Member {
  /** Client's address without the port. */
  readonly host: string
  readonly totals: Readonly<Totals>
  /** Ends it now. */
  end(reason: ProxyError): void
}

/** A user by e-mail: what all inbounds and all connections of the user share. */
export class Account {
  readonly email: string
  /** Plaintext bytes that count against the quota. */
  readonly used: Totals = { uplink: 0, downlink: 0 }
  readonly #clock: Clock
  readonly #members = new Set<Member>()
  #limits: UserLimits

  constructor(email: string, limits: UserLimits, clock: Clock) {
    this.email = email
    this.#limits = limits
    this.#clock = clock
  }

  get limits(): UserLimits {
    return this.#limits
  }

  /** Connections in progress. */
  get members(): ReadonlySet<Member> {
    return this.#members
  }

  /** These limits hold from now on, for connections in progress too. */
  change(limits: UserLimits): void {
    this.#limits = limits
    this.#enforce()
  }

  /** Lets a connection in. Throws ProxyError with a USER_ code. Whoever was let in must leave(). */
  admit(member: Member): void {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    const { connections } = this.#limits
    if (connections > 0 && this.#members.size >= connections) {
      throw new ProxyError('USER_CONNECTIONS', `the user has ${connections} connections, as many as permitted`)
    }
    this.#members.add(member)
  }

  leave(member: Member): void {
    this.#members.delete(member)
  }

  /** Bytes that are about to pass. Ends every connection when they exceed the quota. */
  spend(direction: keyof Totals, bytes: number): void {
    this.used[direction] += bytes
    const { quota } = this.#limits
    if (quota > 0 && this.used.uplink + this.used.downlink > quota) this.#enforce()
  }

  /** Counts from zero again. */
  resetUsage(): void {
    this.used.uplink = 0
    this.used.downlink = 0
  }

  /** What bytes must pass while a speed limit holds. */
  pace(_direction: keyof Totals): Pace | undefined {
    return undefined
  }

  /** Why this user is turned away, whatever the connection. */
  #refusal(): ProxyError | undefined {
    const { enabled, expiresAt, quota } = this.#limits
    if (!enabled) return new ProxyError('USER_DISABLED', 'the user is disabled')
    if (expiresAt > 0 && this.#clock.now() >= expiresAt) {
      return new ProxyError('USER_EXPIRED', `the user expired at ${new Date(expiresAt).toISOString()}`)
    }
    if (quota > 0 && this.used.uplink + this.used.downlink >= quota) {
      return new ProxyError('USER_QUOTA', `the user has used up the quota of ${quota} bytes`)
    }
    return undefined
  }

  #enforce(): void {
    const refusal = this.#refusal()
    if (refusal) for (const member of [...this.#members]) member.end(refusal)
  }
}

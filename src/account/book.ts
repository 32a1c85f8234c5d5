/**
 * What flows need of accounts. The accounts of one process (`Accounts`) are one such book; another can stand for accounts
 * that several threads or machines share.
 */
import type { ProxyError } from '../core/errors.ts'
import type { Totals } from '../core/session.ts'
import type { Pace } from '../core/streams/meter.ts'
import type { UserLimits } from '../core/user-limits.ts'

/** One connection of a user, as far as limits are concerned. */
export interface Member {
  /** Client's address without the port. */
  readonly host: string
  readonly totals: Readonly<Totals>
  /** Ends it now. */
  end(reason: ProxyError): void
}

/** The account of a user, as a flow sees it. */
export interface SharedAccount {
  readonly email: string
  /**
   * Lets a connection in. Throws ProxyError with a USER_ code. Whoever was let in must leave().
   *
   * Answers at once. A book that several share holds a lease for each of them (so many connections, so many bytes), decides
   * by that, and fills it up again in the background: nobody waits for another machine before the first byte.
   */
  admit(member: Member): void
  leave(member: Member): void
  /** Bytes that are about to pass. Ends every connection when they exceed the quota, or what is leased of it. */
  spend(direction: keyof Totals, bytes: number): void
  /** What bytes must pass while a speed limit holds. */
  pace(direction: keyof Totals): Pace | undefined
}

/** Accounts by e-mail, letter case aside; nobody is found under an empty one. */
export interface AccountBook {
  get(email: string): SharedAccount | undefined
  /** The account of one more user with this e-mail. Limits are taken over when given. */
  open(email: string, limits?: UserLimits): void
  /** One user with this e-mail is gone; with the last of them goes the account. Connections are the caller's business. */
  close(email: string): void
}

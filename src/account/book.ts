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
  /** Where an account has to see them from another thread it puts others in their place, which go on from there. */
  totals: Totals
  /** Ends it now. */
  end(reason: ProxyError): void
}

/** The account of a user, as a flow sees it. */
export interface SharedAccount {
  readonly email: string
  /**
   * Lets a connection in. Throws ProxyError with a USER_ code, or rejects with it where another thread decides. Whoever was let
   * in, or waits for it, must leave(); nothing is dialled before.
   */
  admit(member: Member): void | Promise<void>
  leave(member: Member): void
  /** Bytes that are about to pass. Ends every connection when they exceed the quota, whichever thread they pass in. */
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

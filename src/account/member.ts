import type { ProxyError } from '../core/errors.ts'
import type { Totals } from '../core/session.ts'

/** One connection of a user, as far as limits are concerned. */
export interface Member {
  /** Client's address without the port. */
  readonly host: string
  readonly totals: Readonly<Totals>
  /** Ends it now. */
  end(reason: ProxyError): void
}

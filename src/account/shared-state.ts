import type { Totals } from '../core/session.ts'
import type { UserLimits } from '../core/user-limits.ts'
import type { Bucket } from './bucket.ts'

/** What an account has in common with its like in other threads; what is absent is its own. */
export interface SharedState {
  readonly used?: Totals
  /** Adds to `used`; what all have used with it, both directions together, exactly whoever adds at the same time. */
  readonly spend?: (direction: keyof Totals, bytes: number) => number
  readonly bucket?: (direction: keyof Totals) => Bucket
  /** Told whenever other limits hold. */
  readonly limited?: (limits: UserLimits) => void
}

import { Accounts } from '../../account/accounts.ts'
import type { Clock, Env } from '../../core/env.ts'
import type { Observer } from '../../core/observer.ts'
import type { FindFile } from '../../routing/geo/lists.ts'
import { Counters } from '../../stats/counters.ts'
import { FormerUsers } from '../../stats/former-users.ts'
import type { InboundBuild, OutboundBuild } from '../build/build.ts'
import type { OwnPaths } from '../flow/own-paths.ts'

/** What an instance is made with. */
export interface InstanceDeps {
  readonly env: Env
  readonly observers?: readonly Observer[]
  /** Reads certificate files; by default from the disk. */
  readonly readText?: OutboundBuild['read']
  /** Addresses of host names; by default as the system's settings say. */
  readonly resolve?: OutboundBuild['resolve']
  /** Opens geoip.dat and the like; by default where they usually are. */
  readonly findAsset?: FindFile
  /** What the configuration can name, as it was loaded with; by default everything that is built in. */
  readonly kinds?: OutboundBuild['kinds']
  /** Ids of sessions, by default 1, 2, 3 …: instances behind one Control must not give the same ones. */
  readonly ids?: () => number
  /** What it has in common with instances in other threads; absent: nothing. */
  readonly shared?: SharedParts
}

/** What instances in several threads have in common, or stand-ins that go together. */
export interface SharedParts extends Pick<InboundBuild, 'replay' | 'history' | 'sockets' | 'after'> {
  readonly accounts: Accounts
  readonly counters: Counters
  /** What flows have passed that come back to us. */
  readonly paths?: OwnPaths
  /** How many there are. */
  readonly threads: number
  /** Descriptors that this thread may have, where others have some of the process's, too. */
  readonly openFiles?: number
  /** Told after what a configuration says has changed; resolves when it holds in all threads. */
  readonly changed?: () => Promise<void>
}

/** Accounts and counters of an instance that has nothing in common with others. */
export function ownParts(clock: Clock): Pick<SharedParts, 'accounts' | 'counters'> {
  const parts = { accounts: new Accounts(clock), counters: new Counters() }
  parts.accounts.watch(new FormerUsers(parts.counters))
  return parts
}

/** What one thread may let in of a bound that holds for all; 0 is none. */
export const partOf = (bound: number, shared: SharedParts | undefined): number =>
  bound === 0 || !shared ? bound : Math.max(1, Math.floor(bound / shared.threads))

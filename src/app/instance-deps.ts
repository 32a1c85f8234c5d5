import type { Env } from '../core/env.ts'
import type { Observer } from '../core/observer.ts'
import type { FindFile } from '../routing/geo/lists.ts'
import type { OutboundBuild } from './build/build.ts'

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
}

import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session } from '../../core/session.ts'
import type { PolicyConfig } from '../../settings/model.ts'
import type { CounterSource } from '../../stats/counters.ts'
import type { End } from './flow.ts'
import type { Flows } from './flows.ts'
import type { LoopGuard } from './loop-guard.ts'

/** Which outbound carries a flow; at once where no name has to be resolved for it. May set `session.routed`. */
export type Route = (session: Session, until: Lifetime) => Outbound | undefined | Promise<Outbound | undefined>

export interface DispatchDeps {
  readonly env: Env
  /** The policy of this moment: a reload changes it. */
  readonly policy: () => PolicyConfig
  readonly route: Route
  /** Whether targets of one client socket may go different ways; absent: never. */
  readonly manyWays?: () => boolean
  /** The name behind a made-up address; `''` for one that nobody was given; undefined for a real one. */
  readonly fakeName?: (host: string) => string | undefined
  /** Tags of the outbounds that the connections of one go through; absent or undefined: they leave from here. */
  readonly waysOf?: (outbound: Outbound) => readonly string[] | undefined
  readonly flows: Flows
  readonly counters: CounterSource
  readonly observer: Required<Observer>
  readonly loops: LoopGuard
  /** Connections in a handshake, waiting for their target, or between two requests: a stop cuts them first. */
  readonly handshakes: Set<End>
}

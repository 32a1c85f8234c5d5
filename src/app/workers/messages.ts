/** What the main thread and its workers say to each other. A port keeps the order, and every step here relies on it. */
import type { ControlEvent, SessionQuery, SessionView } from '../../control/control.ts'
import type { Page } from '../../control/page.ts'
import type { Address } from '../../core/address.ts'
import type { ErrorCode, ProxyError } from '../../core/errors.ts'
import type { UserLimits } from '../../core/user-limits.ts'
import type { BoundSocket } from '../../net/tcp.ts'
import type { Config, VmessUser } from '../../settings/model.ts'
import type { ReplayTables } from './memory/replay.ts'
import type { PathsMemory } from './memory/shared-paths.ts'
import type { Segment } from './memory/slots.ts'

/** An error as it travels. */
export interface ErrorText {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string | undefined
}

export const errorText = ({ code, message, hint }: ProxyError): ErrorText => ({ code, message, hint })

/** An account, as workers know it. */
export interface AccountState {
  readonly email: string
  /** Of its used traffic. */
  readonly slot: number
  readonly limits: UserLimits
  /** The main thread decides who is let in. */
  readonly governed: boolean
  /** Of its speed limits, once it has had some. */
  readonly buckets?: Readonly<Record<'uplink' | 'downlink', SharedArrayBuffer>>
}

/** The server as it is at a moment. */
export interface ServerState {
  /** With everything that was changed since it was read; port 0 is filled in, and what one thread serves listens nowhere. */
  readonly config: Config
  /** Where the gRPC API can be reached that asks for no password. */
  readonly apiAddresses: readonly Address[]
  /** What operators chose for balancers, by tag. */
  readonly overrides: readonly (readonly [tag: string, target: string])[]
}

/** What a worker begins with. */
export interface WorkerStart {
  /** From 1; 0 is the main thread. */
  readonly number: number
  readonly workers: number
  readonly replay: ReplayTables
  /** By which flows are known that come back. */
  readonly paths: PathsMemory
  /** Of the ids of sessions: the last one given, as a BigInt64Array. */
  readonly ids: SharedArrayBuffer
  /** By how much the monotonic clock of the system is ahead of the main thread's elapsed(), ms. */
  readonly clockAheadMs: number
  readonly openFiles: number
  readonly log: { readonly json: boolean; readonly color: boolean; readonly access: boolean }
}

/** A change of one user, on the inbound with this tag. */
export type UserStep =
  | { readonly what: 'put'; readonly inbound: string; readonly user: VmessUser }
  | { readonly what: 'remove'; readonly inbound: string; readonly id: Uint8Array }

/** What a worker can be asked for, and what it answers. */
export interface Questions {
  /** Comes to be as the server is. */
  sync: (state: ServerState) => void
  users: (steps: readonly UserStep[]) => number
  /** Everything said before has been heard. */
  nothing: () => void
  status: () => WorkerStatus
  /** Client addresses of the connections of users that the main thread does not decide about, by e-mail. */
  occupancy: () => readonly (readonly [email: string, hosts: readonly string[]])[]
  sessions: () => readonly SessionView[]
  sessionPage: (query: SessionQuery) => Page<SessionView, number>
  /** Ends the session with this id, or those of the user with this e-mail; how many. */
  endSessions: (of: { readonly id?: number; readonly email?: string }) => number
  override: (of: { readonly tag: string; readonly target: string }) => void
  watch: (on: boolean) => void
  stop: (graceMs: number) => void
}

export interface WorkerStatus {
  readonly connections: number
  readonly sessions: number
  /** Connections of each inbound, in the order of the main thread. */
  readonly inbounds: readonly number[]
}

export type Question = keyof Questions
export type Asked<Q extends Question> = Parameters<Questions[Q]>[0]
export type Answer<Q extends Question> = ReturnType<Questions[Q]>

export type ToWorker =
  | { readonly type: 'segment'; readonly segment: Segment }
  | { readonly type: 'account'; readonly account: AccountState }
  /** This account is no more; one with the same e-mail and another slot may be. */
  | { readonly type: 'closed'; readonly email: string; readonly slot: number }
  /** Counters of this user are forgotten. */
  | { readonly type: 'forget'; readonly email: string }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question; readonly of: unknown }
  | { readonly type: 'admitted'; readonly member: number }
  | { readonly type: 'refused' | 'end'; readonly member: number; readonly error: ErrorText }
  | { readonly type: 'lent'; readonly id: number; readonly bound: BoundSocket | ErrorText }
  | { readonly type: 'kill' }

export type FromWorker =
  | { readonly type: 'segment'; readonly segment: Segment }
  /** A counter of this worker, in the slot of its own memory. Names of tallies begin with a zero byte. */
  | { readonly type: 'counter'; readonly name: string; readonly slot: number }
  /** The counter is forgotten, and the slot will be another's. */
  | { readonly type: 'uncounted'; readonly name: string; readonly slot: number }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: ErrorText }
  | { readonly type: 'borrow'; readonly id: number; readonly at: Address }
  /** Asks whether a connection may be let in; `joined`: it runs already. Its totals are in the slot. */
  | {
      readonly type: 'admit' | 'joined'
      readonly member: number
      readonly email: string
      readonly account: number
      readonly host: string
      readonly slot: number
    }
  | { readonly type: 'leave'; readonly member: number }
  /** The quota of this account is used up. */
  | { readonly type: 'spent'; readonly email: string }
  | { readonly type: 'log' | 'access'; readonly text: string }
  | { readonly type: 'event'; readonly event: ControlEvent }
  /** What ends the thread. */
  | { readonly type: 'fault'; readonly reason: string }

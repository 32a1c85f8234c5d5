/**
 * What can be seen and changed of an instance while it runs. The APIs (gRPC, HTTP, the library) speak to this and to
 * nothing behind it; every one of them shows the same. All methods throw ProxyError with a CONTROL_ code, or with the code
 * of what was wrong with the input.
 */
import type { Session, Totals } from '../core/session.ts'
import type { UserLimits } from '../core/user-limits.ts'
import type { Counters } from '../stats/counters.ts'
import type { EndingCount } from '../stats/endings.ts'
import type { HandshakeCount } from '../stats/handshakes.ts'

export interface UserView {
  /** `''` for users without one: they have no limits and no counters. */
  readonly email: string
  /** Where the user is known, with the redacted id. */
  readonly inbounds: readonly {
    readonly tag: string
    readonly id: string
    readonly level: number
    readonly alterId: number
  }[]
  readonly limits: UserLimits
  /** Plaintext bytes that count against the quota. */
  readonly used: Readonly<Totals>
  readonly connections: number
  /** Client addresses of the connections in progress, without ports. */
  readonly addresses: readonly string[]
}

export interface NewUser {
  /** UUID or custom id. A random UUID when absent. */
  readonly id?: string | undefined
  readonly email: string
  readonly level?: number | undefined
  readonly alterId?: number | undefined
  readonly limits?: Partial<UserLimits> | undefined
}

export interface UserChange {
  readonly level?: number | undefined
  /** Those that are not given stay. */
  readonly limits?: Partial<UserLimits> | undefined
}

export interface SessionView {
  readonly id: number
  readonly inbound: string
  readonly outbound: string
  readonly email: string
  /** Client's address with port. */
  readonly source: string
  /** host:port that the client asked for. */
  readonly target: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Plaintext bytes so far. */
  readonly totals: Readonly<Totals>
}

export interface InboundView {
  readonly tag: string
  readonly protocol: string
  /** Where it listens now. */
  readonly listening: readonly string[]
  /** Connections in progress. */
  readonly connections: number
  readonly users: number
}

export interface OutboundView {
  readonly tag: string
  readonly protocol: string
}

export interface StatusView {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly uptimeS: number
  /** Client connections in progress. */
  readonly connections: number
  readonly sessions: number
  readonly users: number
  /** True from when every inbound listens until the stop begins. */
  readonly ready: boolean
}

/** What a reload changed, by tag or e-mail. */
export interface ReloadReport {
  readonly inbounds: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  }
  readonly outbounds: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
  }
  readonly users: { readonly added: number; readonly changed: number; readonly removed: number }
  /** Parts of the file that need a restart, in words. */
  readonly restart: readonly string[]
  /** What the new configuration asks for that is not applied, or has no effect: one text each. */
  readonly warnings: readonly string[]
}

/** A configuration that was refused: nothing has changed. */
export interface ReloadRefusal {
  /** One message per problem, with file, line and column. */
  readonly problems: readonly string[]
}

export type ControlEvent =
  | { readonly type: 'opened' | 'routed'; readonly session: Session }
  | { readonly type: 'closed'; readonly session: Session; readonly totals: Readonly<Totals>; readonly reason: string }
  | { readonly type: 'failed'; readonly session: Session; readonly reason: string }
  | {
      readonly type: 'refused'
      readonly inbound: string
      readonly source: string
      readonly email: string
      readonly reason: string
    }

export interface Control {
  readonly counters: Counters
  /** What became of handshakes since the start. */
  handshakes(): Iterable<HandshakeCount>
  /** Sessions that ended before their time since the start. */
  endings(): Iterable<EndingCount>
  status(): StatusView

  /** Every user of every inbound; those with an e-mail once. */
  users(): readonly UserView[]
  user(email: string): UserView | undefined
  /**
   * Adds a user to the VMess inbound `inboundTag`; who connects is served from now on.
   * @returns the user, and the id in full: the only time that it is told
   */
  addUser(inboundTag: string, user: NewUser): { user: UserView; id: string }
  /** Changes limits or level; holds at once, for connections in progress too. */
  changeUser(email: string, change: UserChange): UserView
  /** Removes a user from one inbound, or from all without a tag, and ends its sessions. Returns how many sessions were ended. */
  removeUser(email: string, inboundTag?: string): number
  /** Sets what counts against the quota to zero. */
  resetUsage(email: string): UserView

  sessions(): readonly SessionView[]
  endSession(id: number): void
  /** Returns how many were ended. */
  endSessions(email: string): number

  inbounds(): readonly InboundView[]
  /** Adds an inbound from V2Ray/Xray JSON and opens it. */
  addInbound(json: object): Promise<void>
  /** Stops listening and ends the inbound's sessions. */
  removeInbound(tag: string): void
  outbounds(): readonly OutboundView[]
  addOutbound(json: object): void
  /** Flows that it carries live on. */
  removeOutbound(tag: string): void

  /** Reads the configuration again. Resolves with what changed, or with why it was refused. */
  reload(): Promise<ReloadReport | ReloadRefusal>
  /** Opens log files anew, after they were moved away. */
  restartLog(): void
  /** Tells what happens from now on; returns how to stop it. */
  watch(listener: (event: ControlEvent) => void): () => void
}

/**
 * What can be seen and changed of an instance while it runs. The APIs (gRPC, HTTP, the library) speak to this and to
 * nothing behind it; every one of them shows the same. Every method answers with a promise, because what it asks may run in
 * another thread or on another machine; it rejects with a ProxyError that has a CONTROL_ code, or the code of what was wrong
 * with the input.
 */
import type { Session, Totals } from '../core/session.ts'
import type { EndingCount } from '../stats/endings.ts'
import type { HandshakeCount } from '../stats/handshakes.ts'
import type { Page, PageQuery } from './page.ts'
import type { RoutingControl } from './routing.ts'

/** Limits in the names and units of the configuration. */
export interface LimitsView {
  /** False: the user is known and turned away. */
  readonly enabled: boolean
  /** Plaintext bytes per second from the client, over all connections; 0: no limit. */
  readonly uplink: number
  /** Plaintext bytes per second to the client, over all connections; 0: no limit. */
  readonly downlink: number
  /** Connections at once; 0: no limit. */
  readonly connections: number
  /** Client addresses at once, an IPv6 network of 64 bits counting as one; 0: no limit. */
  readonly addresses: number
  /** How long an address too many is borne with, seconds. */
  readonly addressGrace: number
  /** Plaintext bytes both ways until the user is turned away; 0: no limit. */
  readonly quota: number
  /** From when the user is turned away, ISO 8601; null: never. */
  readonly expires: string | null
  /** For how long after the first use, seconds; 0: for ever. With `expires` as well the earlier one holds. */
  readonly expiresAfter: number
}

/** Limits as they are asked for: what the configuration takes, and null for no limit. Those that are not given stay. */
export interface LimitsInput {
  readonly enabled?: boolean | undefined
  /** Bytes per second, or a text such as `5 MB/s` or `40 Mbit/s`. */
  readonly uplink?: number | string | null | undefined
  /** Bytes per second, or a text such as `5 MB/s` or `40 Mbit/s`. */
  readonly downlink?: number | string | null | undefined
  readonly connections?: number | null | undefined
  readonly addresses?: number | null | undefined
  /** Seconds, 0 to 86,400. */
  readonly addressGrace?: number | undefined
  /** Bytes, or a text such as `100 GB`. */
  readonly quota?: number | string | null | undefined
  /** A text such as `2026-12-31` (the last day, UTC) or `2026-12-31T18:00:00Z`, or Unix seconds. */
  readonly expires?: number | string | null | undefined
  /** A text such as `30 days` or `12 h`, or seconds, from the first connection on. */
  readonly expiresAfter?: number | string | null | undefined
}

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
  readonly limits: LimitsView
  /** Plaintext bytes that count against the quota. */
  readonly used: Readonly<Totals>
  /** When the time of `limits.expiresAfter` began, ISO 8601; null: not yet, or there is no such limit. */
  readonly firstUse: string | null
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
  readonly limits?: LimitsInput | undefined
}

export interface UserChange {
  readonly level?: number | undefined
  readonly limits?: LimitsInput | undefined
}

export interface SessionView {
  readonly id: number
  readonly inbound: string
  readonly outbound: string
  /** The rule that chose the outbound: its label, or `#` and its number from 1; `''`: none did. */
  readonly rule: string
  readonly email: string
  /** Client's address with port. */
  readonly source: string
  /** host:port that the client asked for. */
  readonly target: string
  /** The name that sniffing or fakedns found, where the client asked for an address or another name. */
  readonly sniffed?: string
  readonly network: 'tcp' | 'udp'
  /** How datagrams travel inside of tunnels, as Session.encoding; absent where they do not. */
  readonly encoding?: string
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
  /** Whether other rules or balancers are in force. */
  readonly routing: boolean
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

/** A counter under V2Ray's name of it, such as `user>>>EMAIL>>>traffic>>>uplink`. */
export interface CounterView {
  readonly name: string
  /** Plaintext bytes. */
  readonly value: number
}

export interface CounterQuery extends PageQuery<string> {
  readonly containing?: string | undefined
}

export interface SessionQuery extends PageQuery<number> {
  readonly email?: string | undefined
  /** By its tag. */
  readonly inbound?: string | undefined
}

export interface Control extends RoutingControl {
  /** All counters, in the order in which they were made. */
  counters(): Promise<readonly CounterView[]>
  /** Those whose names contain `containing`, in pages in the order of the names. */
  counterPage(query?: CounterQuery): Promise<Page<CounterView, string>>
  /** Counters by their names; those that there are not are left out. With `reset`, what is read begins at zero again, and no byte is lost between. */
  readCounters(names: readonly string[], options?: { readonly reset?: boolean }): Promise<readonly CounterView[]>
  /** What became of handshakes since the start. */
  handshakes(): Promise<readonly HandshakeCount[]>
  /** Sessions that ended before their time since the start. */
  endings(): Promise<readonly EndingCount[]>
  status(): Promise<StatusView>

  /** Every user of every inbound; those with an e-mail once. */
  users(): Promise<readonly UserView[]>
  /** The same in pages, in the order of the e-mails in lower case; those without one come last. Keys mean nothing but their order. */
  userPage(query?: PageQuery<string>): Promise<Page<UserView, string>>
  user(email: string): Promise<UserView | undefined>
  /**
   * Adds a user to the VMess inbound `inboundTag`; who connects is served from now on.
   * @returns the user, and the id in full: the only time that it is told
   */
  addUser(inboundTag: string, user: NewUser): Promise<{ user: UserView; id: string }>
  /** Changes limits or level; holds at once, for connections in progress too. */
  changeUser(email: string, change: UserChange): Promise<UserView>
  /** Removes a user from one inbound, or from all without a tag, and ends its sessions. Returns how many sessions were ended. */
  removeUser(email: string, inboundTag?: string): Promise<number>
  /** Sets what counts against the quota to zero. */
  resetUsage(email: string): Promise<UserView>
  /** What counts against the quotas of these, in their order; nothing for those who are not there. */
  usage(emails: readonly string[]): Promise<readonly Readonly<Totals>[]>

  sessions(): Promise<readonly SessionView[]>
  /** Sessions of this user and this inbound, or of all, in pages in the order of their ids. */
  sessionPage(query?: SessionQuery): Promise<Page<SessionView, number>>
  endSession(id: number): Promise<void>
  /** Returns how many were ended. */
  endSessions(email: string): Promise<number>

  inbounds(): Promise<readonly InboundView[]>
  /** Adds an inbound from V2Ray/Xray JSON and opens it. */
  addInbound(json: object): Promise<void>
  /** Stops listening and ends the inbound's sessions. */
  removeInbound(tag: string): Promise<void>
  outbounds(): Promise<readonly OutboundView[]>
  addOutbound(json: object): Promise<void>
  /** Flows that it carries live on. */
  removeOutbound(tag: string): Promise<void>

  /** Reads the configuration again. Resolves with what changed, or with why it was refused. */
  reload(): Promise<ReloadReport | ReloadRefusal>
  /** Opens log files anew, after they were moved away. */
  restartLog(): Promise<void>
  /** Tells what happens from when it resolves, with how to stop it. */
  watch(listener: (event: ControlEvent) => void): Promise<() => void>
}

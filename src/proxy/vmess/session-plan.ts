import type { Conn } from '../../core/conn.ts'
import type { DialOptions } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import type { ClientSession, ClientSessionOptions } from '../../protocol/vmess/client.ts'
import { VmessConn } from './conn.ts'

export type WantedSession = Pick<ClientSessionOptions, 'command' | 'target' | 'packet'>

/** What became of a connection to a server. */
export interface Opened {
  /** Sends the request header alone, if no payload has taken it along after `ms`. */
  flushHeadAfter(ms: number, clock: Clock): void
  /** Bytes of payload that were written; absent where no answer may be due, as with datagrams. */
  readonly sent?: number
  /** Whether our own side has ended it. */
  readonly destroyed: boolean
}

/** What is asked of the server, and what is made of the connection then. */
export interface SessionPlan<C extends Opened> {
  readonly want: WantedSession
  /** It carries datagrams, to which no answer may be due. */
  readonly quiet?: boolean
  wrap(base: Conn, session: ClientSession, identity: { readonly level: number }): C
}

/** Connects to a server and begins a session there. The plan may depend on which server it has become. */
export type OpenSession = <C extends Opened>(options: DialOptions, plan: (base: Conn) => SessionPlan<C>) => Promise<C>

/** A stream of bytes: to a target, or a carrier. */
export const streamPlan = (want: WantedSession, quiet = false): SessionPlan<VmessConn> => ({
  want,
  quiet,
  wrap: (base, session, { level }) => {
    const { sealer, opener } = session
    const explain = (error: Error) => opener.explain(error)
    return new VmessConn(base, { sealer, opener, head: session.head(), level, explain })
  },
})

/**
 * The third of the five files of the data path: a dialer through a VMess server.
 *
 * 1. Reach a server through whatever transport stack was injected: the next in turn, or else another (reach.ts). The
 *    list grows for a while by servers that answers name (servers.ts).
 * 2. Take one of its users, at random.
 * 3. Wrap the connection with a ClientSession. The request header waits a moment for the first payload, so that both
 *    leave in one write; nothing waits for the answer.
 */

import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { PacketDialer } from '../../core/packet.ts'
import type { Security } from '../../protocol/vmess/body.ts'
import { ClientSession } from '../../protocol/vmess/client.ts'
import type { VmessOutboundSettings } from '../../settings/model.ts'
import { VmessConn } from './conn.ts'
import { type Opened, type OpenSession, packetDialer, type WantedSession } from './packet-dialer.ts'
import { reach } from './reach.ts'
import { type Identity, type Server, Servers } from './servers.ts'
import { Silence } from './silence.ts'

export interface VmessOutboundDeps {
  /** Reaches the servers: the transport stack. */
  readonly dialer: Dialer
  readonly env: Env
  /** What `auto` means on this machine: AES-GCM where the processor has instructions for it. */
  readonly auto: Security
  /** Authenticate in the legacy way whatever the identity says. */
  readonly legacyHeader: boolean
  /** The transport has an orderly end of its own, so a `none` body needs no frames. Default true. */
  readonly carrierEnds?: boolean
}

class VmessOutbound implements Outbound {
  readonly tag: string
  readonly #servers: Servers
  readonly #deps: VmessOutboundDeps
  readonly #silence: Silence
  readonly packets: PacketDialer

  constructor(tag: string, settings: VmessOutboundSettings, deps: VmessOutboundDeps) {
    this.tag = tag
    this.#servers = new Servers(settings.servers, deps.env)
    this.#deps = deps
    this.#silence = new Silence(deps.env, (server) => this.#servers.unanswered(server))
    this.packets = packetDialer(tag, deps.env, this.#open)
  }

  dial(to: Address, options: DialOptions): Promise<Conn> {
    return this.#open(options, { command: 'tcp', target: to }, (base, session, { level }) => {
      const { sealer, opener } = session
      const explain = (error: Error) => opener.explain(error)
      return new VmessConn(base, { sealer, opener, head: session.head(), level, explain })
    })
  }

  /** Connects to one of the servers, and lets `wrap` make of the connection what is wanted of it. */
  readonly #open: OpenSession = async (options, want, wrap) => {
    const { dialer, env } = this.#deps
    const { server, base } = await reach(this.#servers, dialer, env.clock, options)
    try {
      const identity = server.users[env.random.below(server.users.length)]!
      const session = this.#session(server, identity, want)
      const conn = wrap(base, session, identity)
      this.#watch(base, conn, session, server, identity)
      return conn
    } catch (error) {
      base.destroy()
      throw error
    }
  }

  #session(server: Server, identity: Identity, want: WantedSession): ClientSession {
    const { env, auto, legacyHeader, carrierEnds = true } = this.#deps
    return new ClientSession({
      ...want,
      user: identity,
      legacyHeader,
      security: identity.security === 'auto' ? auto : identity.security,
      experiments: identity.experiments,
      framedNone: !carrierEnds,
      proven: this.#silence.isProven(identity),
      answered: (command) => {
        this.#silence.answered(server, identity)
        this.#servers.answered(server, identity, command)
      },
      unanswered: () => this.#servers.unanswered(server),
      clock: env.clock,
      random: env.random,
    })
  }

  #watch(base: Conn, conn: Opened, { opener }: ClientSession, server: Server, identity: Identity): void {
    conn.flushHeadAfter(limits.firstPayloadWaitMs, this.#deps.env.clock)
    this.#silence.watch(base, { opener, conn, server, identity })
    if (server.temporary) base.onGone(() => opener.answered || conn.destroyed || this.#servers.unanswered(server))
  }

  async close(): Promise<void> {
    // Nothing is pooled: every flow has a connection of its own.
  }
}

export const createVmessOutbound = (tag: string, settings: VmessOutboundSettings, deps: VmessOutboundDeps): Outbound =>
  new VmessOutbound(tag, settings, deps)

/**
 * The third of the five files of the data path: a dialer through a VMess server.
 *
 * 1. Reach a server through whatever transport stack was injected: the next in turn, or else another (reach.ts). The
 *    list grows for a while by servers that answers name (servers.ts).
 * 2. Take one of its users, at random.
 * 3. Wrap the connection with a ClientSession, for a stream, datagrams (encoding/) or a carrier of many (mux-pools.ts). The request header waits a moment for the first payload, so that both
 *    leave in one write; nothing waits for the answer.
 */

import type { Conn } from '../../core/conn.ts'
import type { Dialer, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Security } from '../../protocol/vmess/body/body.ts'
import { ClientSession, type ClientSessionOptions } from '../../protocol/vmess/client.ts'
import type { MuxSettings, VmessOutboundSettings } from '../../settings/model.ts'
import { reach } from '../upstream/reach.ts'
import { directWays } from './encoding/direct-ways.ts'
import { type EncodingOptions, packetDialer } from './encoding/packet-dialer.ts'
import { MuxPools } from './mux-pools.ts'
import { type Identity, type Server, Servers } from './servers.ts'
import { type Opened, type OpenSession, streamPlan, type WantedSession } from './session-plan.ts'
import { type Asked, Silence } from './silence.ts'

export interface VmessOutboundDeps extends EncodingOptions {
  /** Reaches the servers: the transport stack. */
  readonly dialer: Dialer
  readonly env: Env
  /** How streams and datagrams share connections; absent: they do not. */
  readonly mux?: MuxSettings | undefined
  /** What `auto` means on this machine: AES-GCM where the processor has instructions for it. */
  readonly auto: Security
  /** Authenticate in the legacy way whatever the identity says. */
  readonly legacyHeader: boolean
  /** The transport has an orderly end of its own, so a `none` body needs no frames. Default true. */
  readonly carrierEnds?: boolean
}

/** Connections to the servers of one outbound, and what they are opened for. */
class VmessClient {
  readonly #servers: Servers
  readonly #deps: VmessOutboundDeps
  readonly #silence: Silence

  constructor(settings: VmessOutboundSettings, deps: VmessOutboundDeps) {
    this.#servers = new Servers(settings.servers, deps.env)
    this.#deps = deps
    this.#silence = new Silence(deps.env, (server) => this.#servers.unanswered(server))
  }

  /** Connects to one of the servers, and begins there what `plan` says. */
  readonly open: OpenSession = async (options, plan) => {
    const { dialer, env } = this.#deps
    const { server, base } = await reach(this.#servers, dialer, env.clock, options)
    try {
      const identity = server.users[env.random.below(server.users.length)]!
      const { want, wrap, quiet } = plan(base)
      const session = this.#session(server, identity, want)
      const conn = wrap(base, session, identity)
      this.#watch(base, { opener: session.opener, conn, server, identity }, quiet)
      return conn
    } catch (error) {
      base.destroy()
      throw error
    }
  }

  #session(server: Server, identity: Identity, want: WantedSession): ClientSession {
    const { env, auto, legacyHeader, carrierEnds = true } = this.#deps
    const { command, target, packet } = want
    // All fields by name, and in one literal: what is spread first and added to costs several times the memory.
    const options: ClientSessionOptions = {
      command,
      target,
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
    }
    return new ClientSession(packet ? { ...options, packet } : options)
  }

  #watch(base: Conn, asked: Asked & { readonly conn: Opened }, quiet = false): void {
    const { conn, opener, server } = asked
    conn.flushHeadAfter(limits.firstPayloadWaitMs, this.#deps.env.clock)
    this.#silence.watch(base, quiet ? { ...asked, conn: {} } : asked)
    if (server.temporary) base.onGone(() => opener.answered || conn.destroyed || this.#servers.unanswered(server))
  }
}

export function createVmessOutbound(tag: string, settings: VmessOutboundSettings, deps: VmessOutboundDeps): Outbound {
  const { open } = new VmessClient(settings, deps)
  const streams: Dialer = { dial: (target, options) => open(options, () => streamPlan({ command: 'tcp', target })) }
  const carriers = (quiet: boolean): Dialer => ({
    dial: (target, options) => open(options, () => streamPlan({ command: 'mux', target }, quiet)),
  })
  const pools = deps.mux && new MuxPools(deps.mux, carriers, deps.env)
  return {
    tag,
    dial: (to, options) => (pools?.streams ?? streams).dial(to, options),
    packets: packetDialer({ ...deps, ways: directWays(tag, deps.env, open), pooled: pools?.ways }),
    close: async () => {
      pools?.retire()
      deps.dialer.close?.()
    },
  }
}

/**
 * The third of the five files of the data path: a dialer through a VMess server.
 *
 * 1. Pick a server (in turn) and one of its users (at random).
 * 2. Dial the server through whatever transport stack was injected.
 * 3. Wrap the connection with a ClientSession. The request header waits a moment for the first payload, so that both
 *    leave in one write; nothing waits for the answer.
 */

import type { Experiments, SecurityName, VmessOutboundSettings, VmessServer } from '../../config/model.ts'
import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/once-every.ts'
import type { Security } from '../../protocol/vmess/body.ts'
import { ClientSession } from '../../protocol/vmess/client.ts'
import { silenceCauses } from '../../protocol/vmess/response-opener.ts'
import { VmessConn } from './conn.ts'

export interface VmessOutboundDeps {
  /** Reaches the servers: the transport stack. */
  readonly dialer: Dialer
  readonly env: Env
  /** What `auto` means on this machine: AES-GCM where the processor has instructions for it. */
  readonly auto: Security
  /** Authenticate in the legacy way whatever the account says. */
  readonly legacyHeader: boolean
  /** The transport has an orderly end of its own, so a `none` body needs no frames. Default true. */
  readonly carrierEnds?: boolean
}

type Account = { id: Uint8Array; alterId: number; level: number; experiments: Experiments; security: SecurityName }

class VmessOutbound implements Outbound {
  readonly tag: string
  readonly #servers: readonly VmessServer[]
  readonly #deps: VmessOutboundDeps
  /** Accounts that a server has answered: silence is then not the fault of their id or clock. */
  readonly #proven = new WeakSet<Account>()
  readonly #silenceDue: (server: string) => boolean
  #next = 0

  constructor(tag: string, settings: VmessOutboundSettings, deps: VmessOutboundDeps) {
    this.tag = tag
    this.#servers = settings.servers
    this.#deps = deps
    this.#silenceDue = onceEvery(deps.env.clock, 60_000)
  }

  async dial(to: Address, options: DialOptions): Promise<Conn> {
    const server = this.#servers[this.#next++ % this.#servers.length]!
    const account = server.users[this.#deps.env.random.below(server.users.length)]!
    const base = await this.#deps.dialer.dial(server.address, options)
    try {
      return this.#wrap(base, to, account)
    } catch (error) {
      base.destroy()
      throw error
    }
  }

  #wrap(base: Conn, target: Address, account: Account): Conn {
    const { env, auto, legacyHeader, carrierEnds = true } = this.#deps
    const session = new ClientSession({
      user: account,
      legacyHeader,
      security: account.security === 'auto' ? auto : account.security,
      command: 'tcp',
      target,
      experiments: account.experiments,
      framedNone: !carrierEnds,
      proven: this.#proven.has(account),
      answered: () => this.#proven.add(account),
      clock: env.clock,
      random: env.random,
    })
    const { sealer, opener } = session
    const conn = new VmessConn(base, { sealer, opener, head: session.head(), level: account.level })
    env.clock.after(limits.firstPayloadWaitMs, () => conn.flushHead())
    if (!this.#proven.has(account)) this.#watchSilence(conn, account)
    return conn
  }

  /** A server hides from strangers by staying silent, so a wrong id shows as nothing at all: say so, once a minute. */
  #watchSilence(conn: Conn, account: Account): void {
    const { clock, log } = this.#deps.env
    const cancel = clock.after(limits.silenceMs, () => {
      const server = conn.info.remote
      if (this.#proven.has(account) || !this.#silenceDue(server)) return
      log.warn({ server, hint: silenceCauses }, `no answer for ${limits.silenceMs / 1000} s`)
    })
    conn.signal.addEventListener('abort', cancel, { once: true })
  }

  async close(): Promise<void> {
    // Nothing is pooled: every flow has a connection of its own.
  }
}

export const createVmessOutbound = (tag: string, settings: VmessOutboundSettings, deps: VmessOutboundDeps): Outbound =>
  new VmessOutbound(tag, settings, deps)

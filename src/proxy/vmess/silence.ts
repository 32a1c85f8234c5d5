import type { Conn } from '../../core/conn.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import { provenSilenceCauses, silenceCauses } from '../../protocol/vmess/header/response-opener.ts'
import type { Identity, Server } from './servers.ts'

/** A proven identity that is silent so often in a row, with nobody else answered in between, is worth a warning. */
const suspicious = 2

/** A request that was sent. */
export interface Asked {
  readonly opener: { readonly answered: boolean }
  /** Bytes of payload that were written; absent where no answer may be due, as with datagrams. */
  readonly conn: { readonly sent?: number }
  readonly server: Server
  readonly identity: Identity
}

/**
 * A server hides from strangers by staying silent, so a wrong id shows as nothing at all: say so, once a minute. The same
 * from a server that has answered before is mostly a slow target, or else this user was removed there meanwhile.
 *
 * Where this identity was never answered, the application is told as well: its request ends with RESPONSE_MISSING instead
 * of hanging for as long as the server does. A server sends its header together with the target's first bytes, so a slow
 * target of the very first request looks the same. It is not given longer, since nothing will ever tell the two apart, and
 * one answer to any other connection ends the matter. What is surely no request that waits is left alone: where nothing
 * was sent yet, something was sent lately, or so much that it must be an upload.
 */
export class Silence {
  readonly #env: Env
  readonly #unanswered: (server: Server) => void
  /** Identities that a server has answered: silence is then not the fault of their id or clock. */
  readonly #proven = new WeakSet<Identity>()
  /** How many connections each server has answered. */
  readonly #answers = new WeakMap<Server, number>()
  /** How many have stayed silent since. */
  readonly #silent = new WeakMap<Server, number>()
  readonly #due: (what: string) => boolean

  /** `unanswered` hears of servers that have answered nobody for a while. */
  constructor(env: Env, unanswered: (server: Server) => void) {
    this.#env = env
    this.#unanswered = unanswered
    this.#due = onceEvery(env.clock, 60_000)
  }

  isProven(identity: Identity): boolean {
    return this.#proven.has(identity)
  }

  answered(server: Server, identity: Identity): void {
    this.#proven.add(identity)
    this.#answers.set(server, (this.#answers.get(server) ?? 0) + 1)
    this.#silent.delete(server)
  }

  /** From the moment at which the request is sent over `base`, which is destroyed when there is no use in waiting. */
  watch(base: Conn, asked: Asked): void {
    const { opener, server, identity } = asked
    const before = this.#answers.get(server)
    const cancel = this.#env.clock.after(limits.silenceMs, () => {
      if (opener.answered) return
      // An id that a response named may become wrong, when its server was started again.
      if (this.#answers.get(server) === before) this.#unanswered(server)
      const silent = (this.#silent.get(server) ?? 0) + 1
      this.#silent.set(server, silent)
      if (!this.#endSays(asked)) this.#tell(base.info.remote, identity, silent)
    })
    base.onGone(cancel)
    if (asked.conn.sent !== undefined && !this.#proven.has(identity)) this.#endUnlessAnswered(base, asked)
  }

  /** Whether this request will end for its silence: that is told by whoever asked, with the same causes. */
  #endSays({ conn: { sent = 0 }, identity }: Asked): boolean {
    return !this.#proven.has(identity) && sent > 0 && sent <= limits.silentRequestMax
  }

  /** Looks at what was sent when the request should be out, and again after each time of silence. */
  #endUnlessAnswered(base: Conn, { opener, conn, identity }: Asked): void {
    let before = 0
    let cancel: Cancel
    const look = () => {
      const { sent = 0 } = conn
      if (opener.answered || this.#proven.has(identity) || sent > limits.silentRequestMax) return
      if (sent > 0 && sent === before) {
        base.destroy(neverAnswered())
        return
      }
      before = sent
      cancel = this.#env.clock.after(limits.silenceMs, look)
    }
    cancel = this.#env.clock.after(limits.firstPayloadWaitMs, look)
    base.onGone(() => cancel())
  }

  #tell(server: string, identity: Identity, silent: number): void {
    const { log } = this.#env
    const proven = this.#proven.has(identity)
    const level = proven && silent < suspicious ? 'info' : 'warn'
    if (!this.#due(`${level} ${server}`)) return
    log[level](
      { server, hint: proven ? provenSilenceCauses : silenceCauses },
      `no answer for ${limits.silenceMs / 1000} s`,
    )
  }
}

const neverAnswered = (): ProxyError =>
  new ProxyError(
    'RESPONSE_MISSING',
    `the server has not answered within ${limits.silenceMs / 1000} s, nor ever before`,
    {
      hint: silenceCauses,
    },
  )

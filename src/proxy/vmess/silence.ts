import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { onceEvery } from '../../core/once-every.ts'
import { provenSilenceCauses, silenceCauses } from '../../protocol/vmess/response-opener.ts'
import type { Identity, Server } from './servers.ts'

/** A proven identity that is silent so often in a row, with nobody else answered in between, is worth a warning. */
const suspicious = 2

/**
 * A server hides from strangers by staying silent, so a wrong id shows as nothing at all: say so, once a minute. The same
 * from a server that has answered before is mostly a slow target, or else this user was removed there meanwhile.
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

  /** From the moment at which the request is sent. */
  watch(conn: Conn, opener: { readonly answered: boolean }, server: Server, identity: Identity): void {
    const before = this.#answers.get(server)
    const cancel = this.#env.clock.after(limits.silenceMs, () => {
      if (opener.answered) return
      // An id that a response named may become wrong, when its server was started again.
      if (this.#answers.get(server) === before) this.#unanswered(server)
      const silent = (this.#silent.get(server) ?? 0) + 1
      this.#silent.set(server, silent)
      this.#tell(conn.info.remote, identity, silent)
    })
    conn.onGone(cancel)
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

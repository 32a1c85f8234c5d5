import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { limits } from '../../core/limits.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { Serving } from '../passage.ts'
import type { UpgradeDeps } from './model.ts'
import { type Read, readRequest } from './read-request.ts'
import { clientOf, type Rejected, Strangers } from './strangers.ts'

export type { Rejected } from './strangers.ts'

/** A request that is for us. */
export interface Accepted {
  /** The whole 101. */
  readonly answer: Uint8Array
  /** The connection in it; `rest`: what came behind the request, owned; `client`: where it is, if it came by a proxy. */
  open(carrier: Conn, rest: Uint8Array, client: string | undefined): Conn
}

/** What is to be done with a request. */
export type Judge = (head: RequestHead) => Accepted | Rejected

export interface UpgradeRules {
  readonly judge: Judge
  /** The address of a client is taken from X-Forwarded-For where a trusted proxy sends it. */
  readonly forwarded: boolean
}

/**
 * Takes carriers on which a request for an upgrade comes. Whoever is not meant meets a web site: also on a path that leads
 * somewhere, and for as many requests as a web server answers.
 */
export const upgradeServer =
  (rules: UpgradeRules, deps: UpgradeDeps) =>
  (accept: (conn: Conn) => void): Passage => {
    const upgrades = new Upgrades(rules, deps)
    return new Serving({ serve: (carrier) => upgrades.serve(carrier), accept, failed: deps.onFailedHandshake })
  }

class Upgrades {
  readonly #rules: UpgradeRules
  readonly #deps: UpgradeDeps
  readonly #strangers: Strangers

  constructor(rules: UpgradeRules, deps: UpgradeDeps) {
    this.#rules = rules
    this.#deps = deps
    this.#strangers = new Strangers(deps)
  }

  async serve(carrier: Conn): Promise<Conn | undefined> {
    const { website } = this.#deps
    /** What has come, for a server that takes the connection over. */
    const seen: Uint8Array[] | undefined = website.takeOver && []
    let rest: Uint8Array | undefined
    for (let request = 1; request <= limits.strangerRequests; request++) {
      const read = await this.#read(carrier, seen, rest, request > 1)
      if (!read) return undefined
      const client = read.head && this.#rules.forwarded ? clientOf(carrier, read.head, this.#deps) : undefined
      const verdict = read.head ? this.#rules.judge(read.head) : { reason: read.fault.message, elsewhere: true }
      if ('open' in verdict) {
        carrier.write(verdict.answer, () => {})?.catch(() => {}) // a broken carrier shows where it is read
        return verdict.open(carrier, read.rest, client)
      }
      this.#strangers.tell(client ?? carrier.info.remote, read, verdict)
      if (seen && website.takeOver) {
        await website.takeOver(prefixed(carrier, Buffer.concat(seen)))
        return undefined
      }
      rest = await this.#strangers.answer(carrier, read, request === limits.strangerRequests)
      if (!rest) return undefined
    }
    return undefined
  }

  #read(
    carrier: Conn,
    seen: Uint8Array[] | undefined,
    rest: Uint8Array | undefined,
    again: boolean,
  ): Promise<Read | null> {
    const { env, onFailedHandshake } = this.#deps
    const { remote } = carrier.info
    return readRequest(carrier, {
      clock: env.clock,
      // Not the time of the proxy's own handshakes: a web server that hangs up after four seconds would be none.
      ms: again ? limits.strangerIdleMs : limits.siteHeadMs,
      headMax: limits.upgradeHeadMax,
      rest,
      seen,
      // Who keeps us waiting is worth a line the first time.
      late: again ? undefined : (error) => onFailedHandshake(remote, error),
    })
  }
}

import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { Serving, within } from '../passage.ts'
import { answerToBad, parseHead } from './bad-request.ts'
import type { UpgradeDeps } from './model.ts'
import { answerTo, type NginxAnswer } from './nginx.ts'
import { type ReadHead, readHead } from './read-head.ts'
import { rejected } from './rejected.ts'
import { skipBody } from './skip-body.ts'

/** A request that is for us. */
export interface Accepted {
  /** The whole 101. */
  readonly answer: Uint8Array
  /** The connection in it; `rest`: what came behind the request, owned. */
  open(carrier: Conn, rest: Uint8Array): Conn
}

/** What is to be done with a request; text: why it is not for us. */
export type Judge = (head: RequestHead) => Accepted | string

/**
 * Takes carriers on which a request for an upgrade comes. Whoever is not meant meets a web server without pages: also on a
 * path that leads somewhere, and for as many requests as such a server answers.
 */
export const upgradeServer =
  (judge: Judge, deps: UpgradeDeps) =>
  (accept: (conn: Conn) => void): Passage => {
    const upgrades = new Upgrades(judge, deps)
    return new Serving({ serve: (carrier) => upgrades.serve(carrier), accept, failed: deps.onFailedHandshake })
  }

class Upgrades {
  readonly #judge: Judge
  readonly #deps: UpgradeDeps

  constructor(judge: Judge, deps: UpgradeDeps) {
    this.#judge = judge
    this.#deps = deps
  }

  async serve(carrier: Conn): Promise<Conn | undefined> {
    const { clock } = this.#deps.env
    let rest: Uint8Array | undefined
    for (let request = 1; request <= limits.strangerRequests; request++) {
      const read = await this.#read(carrier, rest, request > 1)
      if (!read) return undefined
      const head = 'status' in read ? read : parseHead(read.head)
      if ('status' in head) return this.#refuse(carrier, head)
      const verdict = this.#judge(head)
      if (typeof verdict !== 'string') return this.#open(carrier, verdict, (read as ReadHead).rest)
      this.#tell(carrier, rejected(head, verdict))
      const { bytes, keepAlive } = lastOf(answerTo(head, clock.now()), request)
      if (!keepAlive) {
        await farewell(carrier, clock, bytes)
        return undefined
      }
      await carrier.write(bytes, () => {})
      const body = () => skipBody(carrier, head, (read as ReadHead).rest)
      rest = await within(clock, limits.strangerIdleMs, carrier, 'request', body).catch(() => undefined)
      if (!rest) return undefined
    }
    return undefined
  }

  /** Null: there is nobody, or nobody any more. */
  async #read(carrier: Conn, rest: Uint8Array | undefined, again: boolean): Promise<ReadHead | BadRequest | null> {
    const { env, handshakeTimeoutMs } = this.#deps
    const collector = new HeadCollector('request', limits.upgradeHeadMax)
    try {
      const ms = again ? limits.strangerIdleMs : handshakeTimeoutMs
      return await within(env.clock, ms, carrier, 'request', () => readHead(carrier, collector, rest))
    } catch (error) {
      if (error instanceof BadRequest) return error
      // Who came, said nothing of use and went is nobody's fault; who keeps us waiting is worth a line the first time.
      const late = isProxyError(error) && error.code === 'HANDSHAKE_TIMEOUT'
      if (late && !again) this.#tell(carrier, error)
      return null
    }
  }

  #open(carrier: Conn, accepted: Accepted, rest: Uint8Array): Conn {
    carrier.write(accepted.answer, () => {})?.catch(() => {}) // a broken carrier shows where it is read
    return accepted.open(carrier, rest)
  }

  async #refuse(carrier: Conn, error: BadRequest): Promise<undefined> {
    this.#tell(carrier, new ProxyError('UPGRADE_REJECTED', `not served: ${error.message}`, { cause: error }))
    const { clock } = this.#deps.env
    await farewell(carrier, clock, answerToBad(error, clock.now()).bytes)
  }

  #tell(carrier: Conn, error: ProxyError): void {
    this.#deps.onFailedHandshake(carrier.info.remote, error)
  }
}

/** A server that has had enough says so with its last answer. */
const lastOf = (answer: NginxAnswer, request: number): NginxAnswer =>
  request < limits.strangerRequests ? answer : { ...answer, keepAlive: false }

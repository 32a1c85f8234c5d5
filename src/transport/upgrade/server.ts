import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { isProxyError, ProxyError, toProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { answerToBad, parseHead } from './bad-request.ts'
import type { UpgradeDeps } from './model.ts'
import { answerTo, type NginxAnswer } from './nginx.ts'
import { type ReadHead, readHead } from './read-head.ts'
import { rejected } from './rejected.ts'
import { skipBody } from './skip-body.ts'
import { within } from './within.ts'

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
  (accept: (conn: Conn) => void): Passage =>
    new Upgrades(judge, deps, accept)

class Upgrades implements Passage {
  readonly #judge: Judge
  readonly #deps: UpgradeDeps
  readonly #accept: (conn: Conn) => void
  readonly #all = new Set<Conn>()

  constructor(judge: Judge, deps: UpgradeDeps, accept: (conn: Conn) => void) {
    this.#judge = judge
    this.#deps = deps
    this.#accept = accept
  }

  get pending(): number {
    return this.#all.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    this.#all.add(carrier)
    this.#serve(carrier)
      .catch((error: unknown) => {
        this.#tell(carrier, toProxyError(error, 'UPGRADE_REJECTED'))
        carrier.destroy()
      })
      .finally(() => this.#all.delete(carrier))
  }

  close(): void {
    for (const carrier of this.#all) carrier.destroy()
  }

  async #serve(carrier: Conn): Promise<void> {
    const { clock } = this.#deps.env
    let rest: Uint8Array | undefined
    for (let request = 1; request <= limits.strangerRequests; request++) {
      const read = await this.#read(carrier, rest, request > 1)
      if (!read) return carrier.destroy()
      const head = 'status' in read ? read : parseHead(read.head)
      if ('status' in head) return this.#refuse(carrier, head)
      const verdict = this.#judge(head)
      if (typeof verdict !== 'string') return this.#open(carrier, verdict, (read as ReadHead).rest)
      this.#tell(carrier, rejected(head, verdict))
      const { bytes, keepAlive } = lastOf(answerTo(head, clock.now()), request)
      if (!keepAlive) return farewell(carrier, clock, bytes)
      await carrier.write(bytes, () => {})
      rest = await within(clock, limits.strangerIdleMs, carrier, () => skipBody(carrier, head, (read as ReadHead).rest))
      if (!rest) return carrier.destroy()
    }
  }

  /** Null: there is nobody, or nobody any more. */
  async #read(carrier: Conn, rest: Uint8Array | undefined, again: boolean): Promise<ReadHead | BadRequest | null> {
    const { env, handshakeTimeoutMs } = this.#deps
    const collector = new HeadCollector('request', limits.upgradeHeadMax)
    try {
      const ms = again ? limits.strangerIdleMs : handshakeTimeoutMs
      return await within(env.clock, ms, carrier, () => readHead(carrier, collector, rest))
    } catch (error) {
      if (error instanceof BadRequest) return error
      // Who came, said nothing of use and went is nobody's fault; who keeps us waiting is worth a line the first time.
      const late = isProxyError(error) && error.code === 'HANDSHAKE_TIMEOUT'
      if (late && !again) this.#tell(carrier, error)
      return null
    }
  }

  #open(carrier: Conn, accepted: Accepted, rest: Uint8Array): void {
    carrier.write(accepted.answer, () => {})?.catch(() => {}) // a broken carrier shows where it is read
    this.#all.delete(carrier)
    this.#accept(accepted.open(carrier, rest))
  }

  #refuse(carrier: Conn, error: BadRequest): Promise<void> {
    this.#tell(carrier, new ProxyError('UPGRADE_REJECTED', `not served: ${error.message}`, { cause: error }))
    const { clock } = this.#deps.env
    return farewell(carrier, clock, answerToBad(error, clock.now()).bytes)
  }

  #tell(carrier: Conn, error: ProxyError): void {
    this.#deps.onFailedHandshake(carrier.info.remote, error)
  }
}

/** A server that has had enough says so with its last answer. */
const lastOf = (answer: NginxAnswer, request: number): NginxAnswer =>
  request < limits.strangerRequests ? answer : { ...answer, keepAlive: false }

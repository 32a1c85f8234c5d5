import type { Conn } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { tokensOf } from '../../protocol/http/headers.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { within } from '../passage.ts'
import { answerToBad, parseHead } from '../upgrade/bad-request.ts'
import { answerTo } from '../upgrade/nginx.ts'
import { type ReadHead, readHead } from '../upgrade/read-head.ts'
import { rejected } from '../upgrade/rejected.ts'
import { skipBody } from '../upgrade/skip-body.ts'
import { answerBytes } from './answer-text.ts'
import { Http1Exchange } from './exchange.ts'

export interface Http1ServerOptions {
  readonly clock: Clock
  /** Name of the layer, for the connections that come out. */
  readonly layer: string
  /** Bytes of a head. */
  readonly headMax: number
  /** Time for the first request. */
  readonly handshakeTimeoutMs: number
  /** Told of clients that were turned away. */
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
  /** Ends the exchange before it settles. */
  readonly serve: (exchange: Http1Exchange) => Promise<void>
}

/** Serves the requests that come on one carrier, one after the other, until one takes the carrier for itself. */
export class Http1Server {
  readonly #carrier: Conn
  readonly #options: Http1ServerOptions
  /** A client of ours has been here: it may come back after a long time. */
  #served = false
  #refused = 0
  /** Answers that the carrier has not taken. */
  #unread: Promise<void> | undefined
  #unreadCount = 0

  constructor(carrier: Conn, options: Http1ServerOptions) {
    this.#carrier = carrier
    this.#options = options
  }

  /** `rest`: what was read already, owned. Settles when the carrier is gone or somebody else's; never rejects. */
  async run(rest: Uint8Array): Promise<void> {
    try {
      for (let left: Uint8Array | undefined = rest, first = true; left; first = false)
        left = await this.#next(left, first)
    } catch (error) {
      if (!this.#carrier.gone && error instanceof BadRequest) await this.#turnAway(error)
      this.#carrier.destroy()
    }
  }

  /**
   * Serves one request; gives what came behind it, or undefined when it was the last. Those that came whole are served though
   * the client has hung up: Xray's does as soon as its posts are out.
   */
  async #next(rest: Uint8Array, first: boolean): Promise<Uint8Array | undefined> {
    const carrier = this.#carrier
    const read = await this.#readHead(rest, first)
    if (!read) return void carrier.destroy()
    const head = parseHead(read.head)
    if (head instanceof BadRequest) return void (await this.#turnAway(head))
    const { clock, layer, serve } = this.#options
    const exchange = new Http1Exchange(carrier, head, read.rest, layer, clock.now)
    await serve(exchange)
    const { outcome } = exchange
    if (outcome?.kind === 'opened') return undefined
    if (outcome?.kind !== 'answered') return this.#refuse(head, exchange.rest, outcome?.reason ?? 'nobody answered it')
    this.#served = true
    const behind = exchange.bodyRead ? exchange.rest : exchange.bodyLength === 0 ? exchange.rest : undefined
    const keepAlive = behind !== undefined && wantsMore(head)
    const bytes = this.#answer(outcome.status, outcome.headers, keepAlive)
    if (!keepAlive) return void (await farewell(carrier, clock, bytes))
    this.#say(bytes)
    if (this.#unread && ++this.#unreadCount > limits.xhttpUnreadAnswers) await this.#unread
    return behind
  }

  /**
   * Some clients of Xray never read what is answered to an upload. They are served on for as long as their carrier takes
   * answers, and for a while longer with the shortest ones.
   */
  #answer(status: number, headers: Parameters<typeof answerBytes>[1], keepAlive: boolean): Uint8Array {
    const length = { name: 'Content-Length', value: '0' }
    if (this.#unread) return answerBytes(status, [length])
    const date = { name: 'Date', value: new Date(this.#options.clock.now()).toUTCString() }
    return answerBytes(status, [
      ...headers,
      date,
      length,
      ...(keepAlive ? [] : [{ name: 'Connection', value: 'close' }]),
    ])
  }

  #say(bytes: Uint8Array): void {
    const wait = this.#carrier.write(bytes, () => {})
    if (!wait) return
    const settled = wait.then(
      () => {
        if (this.#unread !== settled) return
        this.#unread = undefined
        this.#unreadCount = 0
      },
      () => {},
    )
    this.#unread = settled
  }

  async #refuse(head: RequestHead, rest: Uint8Array, reason: string): Promise<Uint8Array | undefined> {
    const { clock, onFailedHandshake } = this.#options
    onFailedHandshake(this.#carrier.info.remote, rejected(head, reason))
    const last = ++this.#refused >= limits.strangerRequests
    const { bytes, keepAlive } = answerTo(head, clock.now())
    if (!keepAlive || last) return void (await farewell(this.#carrier, clock, bytes))
    await this.#carrier.write(bytes, () => {})
    return within(clock, limits.strangerIdleMs, this.#carrier, 'request', () => skipBody(this.#carrier, head, rest))
  }

  #turnAway(error: BadRequest): Promise<void> {
    const { clock, onFailedHandshake } = this.#options
    onFailedHandshake(
      this.#carrier.info.remote,
      new ProxyError('UPGRADE_REJECTED', `not served: ${error.message}`, { cause: error }),
    )
    return farewell(this.#carrier, clock, answerToBad(error, clock.now()).bytes)
  }

  /** Null: there is nobody, or nobody any more. */
  async #readHead(rest: Uint8Array, first: boolean): Promise<ReadHead | null> {
    const { clock, headMax, handshakeTimeoutMs, onFailedHandshake } = this.#options
    const collector = new HeadCollector('request', headMax)
    const ms = first ? handshakeTimeoutMs : this.#served ? limits.xhttpIdleMs : limits.strangerIdleMs
    try {
      return await within(clock, ms, this.#carrier, 'request', () => readHead(this.#carrier, collector, rest))
    } catch (error) {
      if (error instanceof BadRequest) throw error
      // Who came, said nothing of use and went is nobody's fault; who keeps us waiting is worth a line the first time.
      if (first && isProxyError(error) && error.code === 'HANDSHAKE_TIMEOUT')
        onFailedHandshake(this.#carrier.info.remote, error)
      return null
    }
  }
}

function wantsMore({ minor, headers }: RequestHead): boolean {
  const wishes = tokensOf(headers, 'Connection')
  return minor === 1 ? !wishes.includes('close') : wishes.includes('keep-alive')
}

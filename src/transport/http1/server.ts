import type { Conn } from '../../core/conn.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { BodyReader } from '../../protocol/http/body-reader.ts'
import { requestFraming } from '../../protocol/http/framing.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { type Read, readRequest, type Understood, wantsMore } from '../upgrade/read-request.ts'
import { clientOf, type Rejected, Strangers } from '../upgrade/strangers.ts'
import { answerBytes } from './answer-text.ts'
import { Http1Exchange } from './exchange.ts'

export interface Http1ServerOptions {
  /** Name of the layer, for the connections that come out. */
  readonly layer: string
  /** Bytes of a head. */
  readonly headMax: number
  /** The address of a client is taken from X-Forwarded-For where a trusted proxy sends it. */
  readonly forwarded: boolean
  readonly deps: UpgradeDeps
  /** Ends the exchange before it settles. */
  readonly serve: (exchange: Http1Exchange) => Promise<void>
}

/** Serves the requests that come on one carrier, one after the other, until one takes the carrier for itself. */
export class Http1Server {
  readonly #carrier: Conn
  readonly #options: Http1ServerOptions
  readonly #strangers: Strangers
  /** A client of ours has been here: it may come back after a long time. */
  #served = false
  #refused = 0
  /** Answers that the carrier has not taken. */
  #unread: Promise<void> | undefined
  #unreadCount = 0

  constructor(carrier: Conn, options: Http1ServerOptions) {
    this.#carrier = carrier
    this.#options = options
    this.#strangers = new Strangers(options.deps)
  }

  /** `rest`: what was read already, owned. Settles when the carrier is gone or somebody else's; never rejects. */
  async run(rest: Uint8Array): Promise<void> {
    try {
      for (let left: Uint8Array | undefined = rest, first = true; left; first = false)
        left = await this.#next(left, first)
    } catch (error) {
      if (!this.#carrier.gone && error instanceof BadRequest) await this.#refuseUnread(error)
      this.#carrier.destroy()
    }
  }

  /**
   * Serves one request; gives what came behind it, or undefined when it was the last. Those that came whole are served though
   * the client has hung up: Xray's does as soon as its posts are out.
   */
  async #next(rest: Uint8Array, first: boolean): Promise<Uint8Array | undefined> {
    const carrier = this.#carrier
    const { layer, forwarded, deps, serve } = this.#options
    const { clock } = deps.env
    const seen: Uint8Array[] | undefined = deps.website.takeOver && [rest]
    const read = await this.#read(rest, seen, first)
    if (!read) return void carrier.destroy()
    const { head } = read
    if (!head) return this.#refuse(read, { reason: read.fault.message, elsewhere: true }, undefined, seen)
    const client = forwarded ? clientOf(carrier, head, deps) : undefined
    const exchange = new Http1Exchange(carrier, head, read.rest, { layer, client, nowMs: clock.now })
    await serve(exchange)
    const { outcome } = exchange
    if (outcome?.kind === 'opened') return undefined
    if (outcome?.kind !== 'answered') return this.#refuse(read, outcome?.why ?? unanswered, client, seen)
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
    const date = { name: 'Date', value: new Date(this.#options.deps.env.clock.now()).toUTCString() }
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

  /** The web site answers; gives what came behind the request, or undefined when it was the last. */
  async #refuse(
    read: Read,
    why: Rejected,
    client: string | undefined,
    seen: Uint8Array[] | undefined,
  ): Promise<Uint8Array | undefined> {
    const carrier = this.#carrier
    const { website } = this.#options.deps
    this.#strangers.tell(client ?? carrier.info.remote, read, why)
    const last = ++this.#refused >= limits.strangerRequests
    if (!seen || !website.takeOver) return this.#strangers.answer(carrier, read, last)
    // A proxy brings the requests of others on the same connection, which are to be served here.
    if (client !== undefined && read.head) await this.#strangers.answer(carrier, read, true, bodyOf(carrier, read))
    else await website.takeOver(prefixed(carrier, Buffer.concat(seen)))
    return void carrier.destroy()
  }

  /** What was to be a body is none. */
  async #refuseUnread(fault: BadRequest): Promise<void> {
    const read: Read = { fault, bytes: nothing, rest: nothing }
    this.#strangers.tell(this.#carrier.info.remote, read, { reason: fault.message, elsewhere: false })
    await this.#strangers.answer(this.#carrier, read, true).catch(() => {})
  }

  #read(rest: Uint8Array, seen: Uint8Array[] | undefined, first: boolean): Promise<Read | null> {
    const { deps, headMax } = this.#options
    const { remote } = this.#carrier.info
    const again = this.#served ? limits.xhttpIdleMs : limits.strangerIdleMs
    return readRequest(this.#carrier, {
      clock: deps.env.clock,
      ms: first ? limits.siteHeadMs : again,
      headMax,
      rest,
      seen,
      // Who keeps us waiting is worth a line the first time.
      late: first ? (error) => deps.onFailedHandshake(remote, error) : undefined,
    })
  }
}

const nothing = new Uint8Array(0)
const unanswered: Rejected = { reason: 'nobody answered it', elsewhere: false }

/** The body of a request that nobody has read. */
function bodyOf(carrier: Conn, { head, rest }: Understood): Pick<Conn, 'read'> {
  const reader = new BodyReader('request', requestFraming(head))
  let first: Uint8Array | undefined = rest
  return {
    async read() {
      while (!reader.done) {
        const bytes = first ?? (await carrier.read())
        first = undefined
        if (!bytes) break
        const content = reader.read(bytes)
        if (content.length > 0) return content
      }
      return null
    },
  }
}

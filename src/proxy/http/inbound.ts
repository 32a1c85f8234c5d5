/**
 * The HTTP proxy. For each request on a client's connection:
 *
 * 1. Read its head under the handshake deadline. What is not HTTP gets no answer, as with V2Ray; what is and cannot be
 *    served gets 400 with the reason.
 * 2. Check who asks (407, and the next try may come on the same connection), then what for (400).
 * 3. CONNECT: have the target connected, answer with the outcome, and carry bytes both ways; the last request.
 * 4. Anything else: have the origin connected for this one request, and let an Exchange rewrite both directions.
 */

import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import { limits } from '../../core/limits.ts'
import type { FlowRequest, FlowUser } from '../../core/session.ts'
import { farewell } from '../../core/streams/farewell.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { challenge, ESTABLISHED, failureOf, refusal, refusalOf } from '../../protocol/http/answers.ts'
import { BasicLogins, type Login } from '../../protocol/http/credentials.ts'
import { forwardedRequest, routingAttributes } from '../../protocol/http/forward.ts'
import { requestFraming } from '../../protocol/http/framing.ts'
import { parseRequestHead, type RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { valuesOf } from '../../protocol/http/headers.ts'
import { type HttpTarget, targetOf } from '../../protocol/http/target.ts'
import type { HttpInboundSettings } from '../../settings/model.ts'
import { bodyToDrop, dropBody } from './challenge.ts'
import { Exchange, type PlainRequest } from './exchange.ts'
import { Source } from './source.ts'

/**
 * CONNECT, and plain requests with keep-alive. TCP only. Without `logins` everybody may use it; an empty list of them
 * lets nobody in.
 */
export function createHttpInbound(
  settings: HttpInboundSettings,
  env: Env,
  logins = settings.logins.length > 0 ? new BasicLogins(settings.logins) : undefined,
): Inbound {
  return {
    serve: (near, io) => new Client(near, io, settings, logins, env).serve(),
  }
}

interface Asked {
  readonly head: RequestHead
  readonly target: HttpTarget
  readonly user: FlowUser
}

/** One client's connection. */
class Client {
  readonly #near: Conn
  readonly #io: InboundIo
  readonly #settings: HttpInboundSettings
  readonly #logins: BasicLogins | undefined
  readonly #env: Env
  readonly #source: Source
  /** Flows whose answer is complete and whose origin has yet to close. */
  readonly #ending = new Set<Promise<void>>()
  #served = 0
  /** Requests in a row without the right password. */
  #challenges = 0
  /** A challenge that nobody was told of: it is a failure only if no better try follows. */
  #unmet: ProxyError | undefined

  constructor(near: Conn, io: InboundIo, settings: HttpInboundSettings, logins: BasicLogins | undefined, env: Env) {
    this.#near = near
    this.#io = io
    this.#settings = settings
    this.#logins = logins
    this.#env = env
    this.#source = new Source(near)
  }

  async serve(): Promise<void> {
    while (await this.#request()) this.#served++
    if (this.#unmet) this.#io.reject(this.#near, this.#unmet)
    this.#near.destroy()
    await Promise.all(this.#ending)
  }

  /** Serves one request; true if another may follow. */
  async #request(): Promise<boolean> {
    const collector = new HeadCollector('request')
    let head: RequestHead | undefined
    try {
      head = await this.#readHead(collector)
    } catch (error) {
      return this.#refuse(error, collector.beginsAsRequest)
    }
    if (!head) return false
    const { method } = head
    // Not awaited here, where head and collector would be kept for as long as the connection lasts.
    return this.#answer(head).catch((error) => this.#refuse(error, true, method))
  }

  async #answer(head: RequestHead): Promise<boolean> {
    const login = this.#logins?.find(head)
    if (this.#logins && !login) return this.#challenge(head)
    const asked = this.#asked(head, login)
    return head.method === 'CONNECT' ? this.#tunnel(asked.target.address, asked.user) : this.#plain(asked)
  }

  #asked(head: RequestHead, login: Login | undefined): Asked {
    this.#challenges = 0
    this.#unmet = undefined
    const target = targetOf(head, { transparent: this.#settings.allowTransparent })
    return { head, target, user: { email: login?.user ?? '', level: this.#settings.level } }
  }

  /** Asks for the password. The first tries are not told of one by one: a client that has it may well ask without first. */
  async #challenge(head: RequestHead): Promise<boolean> {
    const reason = new ProxyError('HTTP_UNAUTHORIZED', 'no or wrong proxy credentials')
    const body = bodyToDrop(head, this.#source)
    this.#challenges++
    const keep = this.#challenges < limits.httpChallenges && body !== undefined
    const isWrong = valuesOf(head.headers, 'Proxy-Authorization').length > 0
    if (isWrong || !keep) this.#io.reject(this.#near, reason)
    this.#unmet = isWrong || !keep ? undefined : reason
    if (!keep) return this.#farewell(challenge(head.method, false))
    try {
      await this.#near.write(challenge(head.method, true))
      return await this.#io.handshake(this.#near, () => dropBody(body, this.#source), this.#settings.level)
    } catch {
      return false // The client is gone, or too slow.
    }
  }

  /** Undefined if the client left without a word, or has nothing more to ask. */
  async #readHead(collector: HeadCollector): Promise<RequestHead | undefined> {
    const read = async (): Promise<RequestHead | undefined> => {
      for (;;) {
        const bytes = await this.#source.take()
        if (!bytes && !collector.started) return undefined
        if (!bytes) throw new ProxyError('TRUNCATED', 'the client left inside an HTTP head')
        const { used, complete } = collector.push(bytes)
        this.#source.putBack(bytes.subarray(used))
        if (complete) return parseRequestHead(collector.head)
      }
    }
    try {
      return await this.#io.handshake(this.#near, read, this.#settings.level)
    } catch (error) {
      // A kept connection that was not used again, however it ended, is nobody's fault.
      if (this.#served > 0 && !collector.started) return undefined
      throw error
    }
  }

  async #tunnel(target: Address, user: FlowUser): Promise<false> {
    const client = prefixed(this.#near, this.#source.rest())
    await this.#io.carry(client, { network: 'tcp', target, user }, (outcome) => {
      if (!(outcome instanceof ProxyError)) return this.#near.write(ESTABLISHED)
      return farewell(client, this.#env.clock, refusal(failureOf(outcome, 'CONNECT'), 'CONNECT'))
    })
    return false
  }

  async #plain({ head, target, user }: Asked): Promise<boolean> {
    const framing = requestFraming(head)
    const plain: PlainRequest = { head, framing, forwarded: forwardedRequest(head, target, framing) }
    const exchange = new Exchange(this.#near, this.#source, plain)
    const attributes = routingAttributes(head, target)
    const request: FlowRequest = { network: 'tcp', target: target.address, user, attributes }
    // A failure to connect destroys the exchange, whose outcome then has the refusal.
    const carried: Promise<void> = this.#io
      .carry(exchange, request)
      .catch((error: Error) => this.#env.log.error({ err: error }, 'a request failed in an unexpected way'))
      .then(() => void this.#ending.delete(carried))
    this.#ending.add(carried)
    const outcome = await exchange.outcome
    if (outcome === 'unanswered') return this.#farewell(refusal(exchange.refusal, head.method))
    if (outcome === 'last') return this.#farewell()
    return outcome === 'again'
  }

  /**
   * For a request that asked for nothing that could be connected: no flow exists, so it is reported here. `answered` says
   * whether the client speaks HTTP.
   */
  #refuse(error: unknown, answered: boolean, method?: string): Promise<false> {
    const reason = toProxyError(error, 'CONN_CLOSED')
    this.#io.reject(this.#near, reason)
    const isItsFault = reason.code === 'HTTP_BAD_REQUEST' || reason.code === 'TRUNCATED'
    return this.#farewell(answered && isItsFault ? refusal(refusalOf(reason), method) : undefined)
  }

  async #farewell(last?: Uint8Array): Promise<false> {
    await farewell(this.#near, this.#env.clock, last, () => this.#source.take())
    return false
  }
}

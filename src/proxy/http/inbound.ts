/**
 * The HTTP proxy. For each request on a client's connection:
 *
 * 1. Read its head under the handshake deadline. What is not HTTP gets no answer, as with V2Ray.
 * 2. Check who asks (407), then what for (400).
 * 3. CONNECT: have the target connected, answer with the outcome, and carry bytes both ways; the last request.
 * 4. Anything else: have the origin connected for this one request, and let an Exchange rewrite both directions.
 */

import type { Conn } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { farewell } from '../../core/farewell.ts'
import type { Inbound, InboundIo } from '../../core/inbound.ts'
import { prefixed } from '../../core/prefixed.ts'
import type { FlowRequest, FlowUser } from '../../core/session.ts'
import { type Answer, answer, answerFor } from '../../protocol/http/answers.ts'
import { requestFraming } from '../../protocol/http/body.ts'
import { BasicLogins } from '../../protocol/http/credentials.ts'
import { forwardedRequest, routingAttributes } from '../../protocol/http/forward.ts'
import { HeadCollector, parseRequestHead, type RequestHead } from '../../protocol/http/head.ts'
import { type HttpTarget, targetOf } from '../../protocol/http/target.ts'
import type { HttpInboundSettings } from '../../settings/model.ts'
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

/** A refusal that has an answer. */
class Refused extends Error {
  readonly answer: Answer
  readonly reason: ProxyError
  constructor(answer: Answer, reason: ProxyError) {
    super(reason.message)
    this.answer = answer
    this.reason = reason
  }
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
    this.#near.destroy()
    await Promise.all(this.#ending)
  }

  /** Serves one request; true if another may follow. */
  async #request(): Promise<boolean> {
    let asked: Asked | undefined
    try {
      asked = await this.#readRequest()
    } catch (error) {
      return this.#refuse(error)
    }
    if (!asked) return false
    return asked.head.method === 'CONNECT' ? this.#tunnel(asked) : this.#plain(asked)
  }

  async #readRequest(): Promise<Asked | undefined> {
    const head = await this.#readHead()
    if (!head) return undefined
    const login = this.#logins?.find(head)
    if (this.#logins && !login) {
      throw new Refused('unauthorized', new ProxyError('HTTP_UNAUTHORIZED', 'no or wrong proxy credentials'))
    }
    const target = targetOf(head, { transparent: this.#settings.allowTransparent })
    if (!target) throw new Refused('badRequest', new ProxyError('HTTP_BAD_REQUEST', 'the request names no target'))
    return { head, target, user: { email: login?.user ?? '', level: this.#settings.level } }
  }

  /** Undefined if the client left without a word, or has nothing more to ask. */
  async #readHead(): Promise<RequestHead | undefined> {
    const collector = new HeadCollector('request')
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

  async #tunnel({ head, target, user }: Asked): Promise<false> {
    const { method } = head
    const client = prefixed(this.#near, this.#source.rest())
    const request: FlowRequest = { network: 'tcp', target: target.address, user }
    await this.#io.carry(client, request, (outcome) => {
      if (!(outcome instanceof ProxyError)) return this.#near.write(answer('established'))
      return farewell(client, this.#env.clock, answer(answerFor(outcome, method)))
    })
    return false
  }

  async #plain({ head, target, user }: Asked): Promise<boolean> {
    let plain: PlainRequest
    try {
      const framing = requestFraming(head)
      plain = { head, framing, forwarded: forwardedRequest(head, target, framing) }
    } catch (error) {
      return this.#refuse(error)
    }
    const exchange = new Exchange(this.#near, this.#source, plain)
    const request = {
      network: 'tcp',
      target: target.address,
      user,
      attributes: routingAttributes(head, target),
    } as const
    let failure: ProxyError | undefined
    const carried: Promise<void> = this.#io
      .carry(exchange, request, (outcome) => {
        if (outcome instanceof ProxyError) failure = outcome
      })
      .catch((error: Error) => this.#env.log.error({ err: error }, 'a request failed in an unexpected way'))
      .then(() => void this.#ending.delete(carried))
    this.#ending.add(carried)
    const outcome = await exchange.outcome
    if (failure) return this.#farewell(answerFor(failure, head.method))
    if (outcome === 'unanswered') return this.#farewell('unavailable')
    if (outcome === 'last') return this.#farewell()
    return outcome === 'again'
  }

  /** For a request that asked for nothing that could be connected: no flow exists, so it is reported here. */
  #refuse(error: unknown): Promise<false> {
    const refused = error instanceof Refused ? error : undefined
    this.#io.reject(this.#near, refused?.reason ?? toProxyError(error, 'CONN_CLOSED'))
    return this.#farewell(refused?.answer)
  }

  async #farewell(last?: Answer): Promise<false> {
    await farewell(this.#near, this.#env.clock, last && answer(last), () => this.#source.take())
    return false
  }
}

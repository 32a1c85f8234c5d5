/**
 * One plain request and its answer, as a Conn for the relay: what the relay reads from it is the request rewritten for
 * the origin, and what the relay writes to it is the origin's answer, which goes to the client rewritten. So a plain
 * request is counted, timed out and logged like every other flow, and the client's connection outlives it. When the
 * origin switches protocols, both directions go on as they are, to the end of the client's connection.
 */

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { failureOf, type Refusal, refusalOf } from '../../protocol/http/answers.ts'
import { BodyRelay } from '../../protocol/http/body.ts'
import { upgradeOf, wantsKeepAlive } from '../../protocol/http/forward.ts'
import type { Framing } from '../../protocol/http/framing.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { ResponseRelay } from '../../protocol/http/response-relay.ts'
import type { Source } from './source.ts'

export interface PlainRequest {
  readonly head: RequestHead
  /** The head as the origin gets it. */
  readonly forwarded: Uint8Array
  readonly framing: Framing
}

/** How an exchange ended, for the client's connection. */
export type Outcome =
  /** Answered whole, and the client may ask again. */
  | 'again'
  /** Answered whole; the end of the connection follows. */
  | 'last'
  /** Not a byte of an answer has gone to the client. */
  | 'unanswered'
  /** The answer broke off, or the client did, or what followed a switch of protocols is over. */
  | 'broken'

export class Exchange implements Conn {
  readonly info: ConnInfo
  /** Settles, without waiting for the origin to close, when nothing more goes to the client. */
  readonly outcome: Promise<Outcome>
  readonly #near: Conn
  readonly #source: Source
  readonly #request: PlainRequest
  readonly #life = new Life()
  #leaveNear: Cancel | undefined
  readonly #upload: BodyRelay
  readonly #response: ResponseRelay
  #requestSent = false
  /** Something of the final answer went to the client. */
  #begun = false
  #over = false
  #settle!: (outcome: Outcome) => void
  #failure: ProxyError | undefined
  #clientFailed = false
  /** Ends a wait of the request's side. */
  #interrupt: () => void = () => {}

  constructor(near: Conn, source: Source, request: PlainRequest) {
    this.#near = near
    this.#source = source
    this.#request = request
    this.#upload = new BodyRelay('request', request.framing)
    const { head } = request
    this.#response = new ResponseRelay({
      method: head.method,
      minor: head.minor,
      upgrade: upgradeOf(head) !== undefined,
      mayKeep: () => this.#upload.done && wantsKeepAlive(head),
    })
    this.info = near.info
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#leaveNear = near.onGone((why) => this.destroy(why))
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  onEnded(run: () => void): Cancel {
    return this.#near.onEnded?.(run) ?? (() => {})
  }

  /** What the client is told after the outcome `unanswered`. */
  get refusal(): Refusal {
    const failure = this.#failure ?? new ProxyError('CONN_CLOSED', '')
    return this.#clientFailed ? refusalOf(failure) : failureOf(failure, this.#request.head.method)
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#requestPiece()
    return bytes || !this.#response.switched ? bytes : this.#source.take()
  }

  async drainTo(sink: Sink): Promise<void> {
    for (let bytes = await this.#requestPiece(); bytes; bytes = await this.#requestPiece()) await sink(bytes)
    if (!this.#response.switched) return
    const early = this.#source.rest()
    if (early.length > 0) await sink(early)
    await this.#near.drainTo(sink)
  }

  /** The request, piece by piece. Its end comes with the end of the answer: many origins take an earlier one for a cancel. */
  async #requestPiece(): Promise<Uint8Array | null> {
    if (!this.#requestSent && !this.#failure) {
      this.#requestSent = true
      return this.#request.forwarded
    }
    while (!this.#over && !this.#upload.done) {
      const bytes = await this.#unlessOver(this.#source.take())
      if (this.#over) break
      if (!bytes) throw this.#clientBroke(new ProxyError('TRUNCATED', 'the client left inside its request'))
      const out = this.#uploaded(bytes)
      if (out.length > 0) return out
    }
    if (!this.#over && !this.#response.switched) await this.#unlessOver(new Promise<null>(() => {}))
    if (this.#failure) throw this.#failure
    return null
  }

  /** The answer as it comes from the origin. An origin that goes on after its end is cut off. */
  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#response.switched) return this.#near.write(bytes, release)
    try {
      if (this.#over) throw this.#failure ?? new ProxyError('CONN_CLOSED', 'the origin went on after its answer')
      return this.#passOn(this.#response.push(bytes))
    } catch (error) {
      return Promise.reject(this.#broken(error))
    } finally {
      release?.()
    }
  }

  holdAtMost(bytes: number): void {
    this.#near.holdAtMost(bytes)
  }

  /** The origin ended: after a head and a body that lasts until now this is in order. */
  async closeWrite(): Promise<void> {
    if (this.#over) return
    if (this.#response.switched) return this.#near.closeWrite()
    try {
      if (!this.#response.begun) throw new ProxyError('TRUNCATED', 'the origin left before it answered')
      const last = this.#response.end()
      if (last && last.length > 0) await this.#near.write(last)
      this.#finish(this.#final())
    } catch (error) {
      throw this.#broken(error)
    }
  }

  destroy(reason: Error = new ProxyError('CONN_CLOSED', 'the exchange was cut off')): void {
    if (!this.#over) this.#broken(reason)
    this.#life.end(reason)
  }

  #uploaded(bytes: Uint8Array): Uint8Array {
    try {
      const { used, out } = this.#upload.push(bytes)
      this.#source.putBack(bytes.subarray(used))
      return out
    } catch (error) {
      throw this.#clientBroke(error)
    }
  }

  #passOn(bytes: Uint8Array): void | Promise<void> {
    const { begun, switched, done } = this.#response
    if (bytes.length > 0 && begun) this.#begun = true
    const wait = bytes.length > 0 ? this.#near.write(bytes) : undefined
    if (switched && this.#upload.done) this.#interrupt()
    if (!done) return wait
    if (!wait) return this.#finish(this.#final())
    return wait.then(() => this.#finish(this.#final()))
  }

  #final(): Outcome {
    return this.#response.kept ? 'again' : 'last'
  }

  #clientBroke(error: unknown): ProxyError {
    this.#clientFailed = !this.#over
    return this.#broken(error)
  }

  #broken(error: unknown): ProxyError {
    const failure = toProxyError(error, 'CONN_CLOSED')
    if (this.#over) return failure
    this.#failure = failure
    this.#finish(this.#begun ? 'broken' : 'unanswered')
    return failure
  }

  #finish(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    this.#leaveNear?.()
    this.#settle(outcome)
    this.#interrupt()
  }

  /** `work`, given up (but not lost to the source) when the exchange is over. */
  #unlessOver(work: Promise<Uint8Array | null>): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(null)
      work.then(resolve, (error: unknown) => reject(this.#broken(error)))
    })
  }
}

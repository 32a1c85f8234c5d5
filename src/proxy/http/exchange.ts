/**
 * One plain request and its answer, as a Conn for the relay: what the relay reads from it is the request rewritten for
 * the origin, and what the relay writes to it is the origin's answer, which goes to the client rewritten. So a plain
 * request is counted, timed out and logged like every other flow, and the client's connection outlives it.
 */

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { BodyRelay, type Framing, responseFraming } from '../../protocol/http/body.ts'
import { forwardedResponse, isReusable, wantsKeepAlive } from '../../protocol/http/forward.ts'
import { HeadCollector, parseResponseHead, type RequestHead } from '../../protocol/http/head.ts'
import { join } from '../../protocol/http/text.ts'
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
  /** The answer broke off, or the client did. */
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
  #requestSent = false
  #collector = new HeadCollector('response')
  #download: BodyRelay | undefined
  #answered: 'no' | 'begun' | Outcome = 'no'
  #reusable = false
  #settle!: (outcome: Outcome) => void
  #failure: Error | undefined
  /** Ends a wait of the request's side. */
  #interrupt: () => void = () => {}

  constructor(near: Conn, source: Source, request: PlainRequest) {
    this.#near = near
    this.#source = source
    this.#request = request
    this.#upload = new BodyRelay(request.framing)
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

  /** The request, piece by piece. Its end comes with the end of the answer: many origins take an earlier one for a cancel. */
  async read(): Promise<Uint8Array | null> {
    if (!this.#requestSent && !this.#failure) {
      this.#requestSent = true
      return this.#request.forwarded
    }
    while (!this.#over && !this.#upload.done) {
      const bytes = await this.#unlessOver(this.#source.take())
      if (this.#over) break
      if (!bytes) throw this.#broken(new ProxyError('TRUNCATED', 'the client left inside its request'))
      const out = this.#uploaded(bytes)
      if (out.length > 0) return out
    }
    if (!this.#over) await this.#unlessOver(new Promise<null>(() => {}))
    if (this.#failure) throw this.#failure
    return null
  }

  async drainTo(sink: Sink): Promise<void> {
    for (let bytes = await this.read(); bytes; bytes = await this.read()) await sink(bytes)
  }

  /** The answer as it comes from the origin. An origin that goes on after its end is cut off. */
  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    try {
      if (this.#over) throw this.#failure ?? new ProxyError('CONN_CLOSED', 'the origin went on after its answer')
      return this.#passOn(this.#answer(bytes))
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
    try {
      if (!this.#download) throw new ProxyError('TRUNCATED', 'the origin left before it answered')
      this.#download.end()
      this.#finish(this.#final())
    } catch (error) {
      throw this.#broken(error)
    }
  }

  destroy(reason: Error = new ProxyError('CONN_CLOSED', 'the exchange was cut off')): void {
    if (!this.#over) this.#broken(reason)
    this.#life.end(reason)
  }

  get #over(): boolean {
    return this.#answered !== 'no' && this.#answered !== 'begun'
  }

  #uploaded(bytes: Uint8Array): Uint8Array {
    try {
      const { used, out } = this.#upload.push(bytes)
      this.#source.putBack(bytes.subarray(used))
      return out
    } catch (error) {
      throw this.#broken(error)
    }
  }

  /** What goes to the client for these bytes of the origin. */
  #answer(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = []
    let left = bytes
    while (!this.#download && left.length > 0) {
      const { used, complete } = this.#collector.push(left)
      left = left.subarray(used)
      if (complete) pieces.push(...this.#onHead(this.#collector.head))
    }
    if (this.#download && !this.#download.done) pieces.push(this.#download.push(left).out)
    return pieces
  }

  /** Interim answers go through as they are, to clients that know them; the other one decides on the connection. */
  #onHead(bytes: Uint8Array): Uint8Array[] {
    const head = parseResponseHead(bytes)
    const { method, minor } = this.#request.head
    if (head.status === 101)
      throw new ProxyError('HTTP_BAD_REQUEST', 'the origin switches protocols without being asked')
    if (head.status < 200) {
      this.#collector = new HeadCollector('response')
      return minor === 0 ? [] : [bytes]
    }
    const framing = responseFraming(head, method)
    const plain = minor === 0
    this.#download = new BodyRelay(framing, { plain })
    this.#reusable = isReusable(framing)
    return [forwardedResponse(head, framing, { dechunked: plain })]
  }

  #passOn(pieces: Uint8Array[]): void | Promise<void> {
    const bytes = join(pieces)
    if (bytes.length > 0 && this.#download) this.#answered = 'begun'
    const wait = bytes.length > 0 ? this.#near.write(bytes) : undefined
    if (!this.#download?.done) return wait
    if (!wait) return this.#finish(this.#final())
    return wait.then(() => this.#finish(this.#final()))
  }

  #final(): Outcome {
    return this.#reusable && this.#upload.done && wantsKeepAlive(this.#request.head) ? 'again' : 'last'
  }

  #broken(error: unknown): ProxyError {
    const failure = toProxyError(error, 'CONN_CLOSED')
    if (this.#over) return failure
    this.#failure = failure
    this.#finish(this.#answered === 'no' ? 'unanswered' : 'broken')
    return failure
  }

  #finish(outcome: Outcome): void {
    if (this.#over) return
    this.#answered = outcome
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

import type { Conn } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { BodyRelay } from '../../protocol/http/body.ts'
import { responseFraming } from '../../protocol/http/framing.ts'
import { tokensOf } from '../../protocol/http/headers.ts'
import { type Http1Request, readAnswerHead, requestHead } from './client.ts'

export interface PostOptions {
  readonly body: readonly Uint8Array[]
  /** A piece of the body is held by no carrier; may be said again. */
  readonly taken: (piece: Uint8Array) => void
  /** All of the request was. */
  readonly written: () => void
  /** Over: the answer matters no more. */
  readonly until: Lifetime
}

/** Connections for requests with small answers, each of which carries one request after the other. */
export class PostPool {
  readonly #dial: (until: Lifetime) => Promise<Conn>
  readonly #clock: Clock
  readonly #idle = new Map<Conn, Cancel>()

  constructor(dial: (until: Lifetime) => Promise<Conn>, clock: Clock) {
    this.#dial = dial
    this.#clock = clock
  }

  /** Connections that wait for a request. */
  get idle(): number {
    return this.#idle.size
  }

  /**
   * Sends a request and gives the status of the answer. One that meets a kept connection which the server has just closed is sent
   * anew; so it must be such that it may come twice.
   */
  async post(request: Http1Request, options: PostOptions): Promise<number> {
    const kept = this.#take()
    if (kept) {
      const status = await this.#ask(kept, request, options).catch((error: Error) => {
        if (options.until.gone) throw error
        return undefined
      })
      if (status !== undefined) return status
    }
    const carrier = await this.#dial(options.until)
    const status = await this.#ask(carrier, request, options)
    if (status === undefined) throw new ProxyError('CONN_CLOSED', `${carrier.info.remote} hung up without an answer`)
    return status
  }

  /** Undefined: the server hung up before it said anything. */
  async #ask(carrier: Conn, request: Http1Request, options: PostOptions): Promise<number | undefined> {
    const { body, taken, written, until } = options
    const leave = until.onGone((why) => carrier.destroy(why))
    try {
      const length = body.reduce((sum, piece) => sum + piece.length, 0)
      carrier
        .write(requestHead(request, [{ name: 'Content-Length', value: String(length) }]), () => {})
        ?.catch(() => {})
      let left = body.length
      if (left === 0) written()
      for (const piece of body) {
        const release = (): void => {
          taken(piece)
          if (--left === 0) written()
        }
        carrier.write(piece, release)?.catch(() => {}) // shows where it is read
      }
      const status = await this.#answer(carrier, request.method)
      if (status === undefined) carrier.destroy()
      return status
    } catch (error) {
      carrier.destroy()
      throw error
    } finally {
      leave()
    }
  }

  async #answer(carrier: Conn, method: string): Promise<number | undefined> {
    const answer = await readAnswerHead(carrier)
    if (!answer) return undefined
    const { head } = answer
    const body = new BodyRelay('response', responseFraming(head, method), { plain: true })
    let bytes: Uint8Array | null = answer.rest
    let used = body.push(bytes).used
    while (!body.done) {
      bytes = await carrier.read()
      if (bytes === null) {
        body.end()
        break
      }
      used = body.push(bytes).used
    }
    const inStep = bytes !== null && used === bytes.length
    if (inStep && head.minor === 1 && !tokensOf(head.headers, 'Connection').includes('close')) this.#keep(carrier)
    else carrier.destroy()
    return head.status
  }

  #take(): Conn | undefined {
    for (const [carrier, cancel] of [...this.#idle].reverse()) {
      cancel()
      this.#idle.delete(carrier)
      carrier.hold?.(true)
      if (!carrier.gone) return carrier
    }
    return undefined
  }

  /** Keeps nothing alive, and goes when the server closes it. */
  #keep(carrier: Conn): void {
    const drop = (): void => {
      this.#idle.get(carrier)?.()
      if (this.#idle.delete(carrier)) carrier.destroy()
    }
    const cancelIdle = this.#clock.after(limits.xhttpClientIdleMs, drop)
    const cancelEnded = carrier.onEnded?.(drop) ?? nothing
    const cancelGone = carrier.onGone(drop)
    carrier.hold?.(false)
    this.#idle.set(carrier, () => {
      cancelIdle()
      cancelEnded()
      cancelGone()
    })
  }
}

const nothing = (): void => {}

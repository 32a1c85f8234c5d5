import { join } from '../wire/join.ts'
import { type Body, BodyRelay } from './body.ts'
import { forwardedResponse, interimResponse, switchingResponse } from './forward.ts'
import { isDelimited, responseFraming } from './framing.ts'
import { parseResponseHead, type ResponseHead } from './head.ts'
import { HeadCollector } from './head-collector.ts'
import { unacceptable } from './problems.ts'
import { UnsureBody } from './unsure-body.ts'

/** What of a request decides on its response. */
export interface Asked {
  readonly method: string
  readonly minor: 0 | 1
  /** The origin was asked to switch protocols. */
  readonly upgrade: boolean
  /** Asked once, when the response begins: whether the client's connection may be kept. */
  readonly mayKeep: () => boolean
}

/** An origin's response to one request, rewritten for the client. */
export class ResponseRelay {
  readonly #asked: Asked
  #collector = new HeadCollector('response')
  #body: Body | undefined
  #switched = false
  #kept = false

  constructor(asked: Asked) {
    this.#asked = asked
  }

  /** The final head has come: the response can only go on or break off. */
  get begun(): boolean {
    return this.#body !== undefined || this.#switched
  }

  /** Everything has come. */
  get done(): boolean {
    return this.#body?.done ?? false
  }

  /** The origin switched protocols: what follows is passed on as it is. */
  get switched(): boolean {
    return this.#switched
  }

  /** Whether the client was told that it may ask again. */
  get kept(): boolean {
    return this.#kept
  }

  /** What goes to the client for these bytes of the origin. Throws HTTP_BAD_RESPONSE. */
  push(bytes: Uint8Array): Uint8Array {
    const pieces: Uint8Array[] = []
    let left = bytes
    while (!this.begun && left.length > 0) {
      const { used, complete } = this.#collector.push(left)
      left = left.subarray(used)
      if (complete) pieces.push(this.#onHead(parseResponseHead(this.#collector.head)))
    }
    if (this.#switched) pieces.push(left)
    else if (this.#body && !this.#body.done) pieces.push(this.#body.push(left).out)
    return join(pieces)
  }

  /** The origin ended. Gives what is still to go to the client. Throws TRUNCATED where something is missing. */
  end(): Uint8Array | undefined {
    return this.#body?.end()
  }

  /** Interim responses go through, to clients that know them; the other one decides on the connection. */
  #onHead(head: ResponseHead): Uint8Array {
    const { method, minor, upgrade, mayKeep } = this.#asked
    if (head.status === 101) return this.#onSwitch(head)
    if (head.status < 200) {
      this.#collector = new HeadCollector('response')
      return minor === 0 ? new Uint8Array(0) : interimResponse(head)
    }
    const framing = responseFraming(head, method)
    const dechunked = framing.kind === 'unsure' || (minor === 0 && framing.kind === 'chunked')
    this.#body = framing.kind === 'unsure' ? new UnsureBody() : new BodyRelay('response', framing, { plain: dechunked })
    // What a client sent behind its wish to switch, without waiting for the answer, is no request.
    this.#kept = !dechunked && !upgrade && isDelimited(framing) && mayKeep()
    return forwardedResponse(head, framing, { keep: this.#kept, dechunked })
  }

  #onSwitch(head: ResponseHead): Uint8Array {
    if (!this.#asked.upgrade) throw unacceptable('response', 'a switch of protocols that was not asked for')
    this.#switched = true
    return switchingResponse(head)
  }
}

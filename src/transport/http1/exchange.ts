import type { Conn, ConnInfo } from '../../core/conn.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { BodyRelay } from '../../protocol/http/body.ts'
import { BodyReader } from '../../protocol/http/body-reader.ts'
import { requestFraming } from '../../protocol/http/framing.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { type Header, tokensOf } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import { join } from '../../protocol/wire/join.ts'
import type { Rejected } from '../upgrade/strangers.ts'
import type { Exchange } from '../xhttp/exchange.ts'
import { answerBytes } from './answer-text.ts'
import { MessageConn } from './message-conn.ts'

const goOn = bytesOf('HTTP/1.1 100 Continue\r\n\r\n')
const nothing = new Uint8Array(0)

/** What has become of a request. */
export type Outcome =
  | { readonly kind: 'opened' }
  | { readonly kind: 'answered'; readonly status: number; readonly headers: readonly Header[] }
  | { readonly kind: 'refused'; readonly why: Rejected }

export interface Http1ExchangeOptions {
  /** Name of the layer, for the connection that may come out. */
  readonly layer: string
  /** Where the client is, if it came by a proxy. */
  readonly client: string | undefined
  readonly nowMs: () => number
}

/** One request on a carrier of HTTP/1. */
export class Http1Exchange implements Exchange {
  readonly head: RequestHead
  readonly #carrier: Conn
  readonly #options: Http1ExchangeOptions
  /** What came behind the part of the request that was read. */
  #rest: Uint8Array
  #bodyRead = false
  #outcome: Outcome | undefined

  /** `rest`: what came behind the head, owned. */
  constructor(carrier: Conn, head: RequestHead, rest: Uint8Array, options: Http1ExchangeOptions) {
    this.#carrier = carrier
    this.head = head
    this.#rest = rest
    this.#options = options
  }

  get on(): Conn {
    return this.#carrier
  }

  get info(): ConnInfo {
    return this.#carrier.info
  }

  get client(): string {
    return this.#options.client ?? this.info.remote
  }

  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  /** Whether the body was read to its end; `rest` is the beginning of what comes behind it then. */
  get bodyRead(): boolean {
    return this.#bodyRead
  }

  get rest(): Uint8Array {
    return this.#rest
  }

  get bodyLength(): number | undefined {
    const framing = requestFraming(this.head)
    if (framing.kind === 'none') return 0
    return framing.kind === 'length' ? framing.length : undefined
  }

  async body(max: number, keep: boolean): Promise<Uint8Array | undefined> {
    const body = new BodyRelay('request', requestFraming(this.head), { plain: true })
    if ((this.bodyLength ?? 0) > max) return undefined
    this.#continue()
    const parts: Uint8Array[] = []
    let length = 0
    let bytes: Uint8Array = this.#rest
    this.#rest = nothing
    for (;;) {
      const { used, out } = body.push(bytes)
      length += out.length
      if (length > max) return undefined
      if (out.length > 0 && keep) parts.push(out)
      if (body.done) {
        this.#rest = bytes.subarray(used)
        this.#bodyRead = true
        return parts.length === 0 ? nothing : join(parts)
      }
      const next = await this.#carrier.read()
      if (next === null) body.end()
      else bytes = next
    }
  }

  #continue(): void {
    if (!tokensOf(this.head.headers, 'Expect').includes('100-continue')) return
    this.#carrier.write(goOn, () => {})?.catch(() => {})
  }

  answer(status: number, headers: readonly Header[]): void {
    this.#outcome ??= { kind: 'answered', status, headers }
  }

  refuse(why: Rejected): void {
    this.#outcome ??= { kind: 'refused', why }
  }

  open(headers: readonly Header[]): Conn {
    this.#outcome = { kind: 'opened' }
    const { layer, client } = this.#options
    const reader = new BodyReader('request', requestFraming(this.head))
    if (!reader.done) this.#continue()
    const chunked = this.head.minor === 1
    const bytes = answerBytes(200, [
      ...headers,
      { name: 'Date', value: new Date(this.#options.nowMs()).toUTCString() },
      { name: 'Connection', value: 'close' },
      ...(chunked ? [{ name: 'Transfer-Encoding', value: 'chunked' }] : []),
    ])
    this.#carrier.write(bytes, () => {})?.catch(() => {}) // a broken carrier shows where it is read
    return new MessageConn(this.#carrier, {
      info: new LayeredInfo(this.info, layer, 'none', undefined, client),
      incoming: { reader, rest: this.#rest },
      outgoing: chunked ? 'chunked' : 'plain',
    })
  }
}

import type { ServerHttp2Stream } from 'node:http2'
import type { Conn, ConnInfo } from '../../core/conn.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { endInOrder, Http2Conn, type Watched } from './http2-conn.ts'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerRequest, StreamKind } from './model.ts'
import { quietly } from './options.ts'

interface RequestParts {
  readonly carrier: ConnInfo
  readonly kind: StreamKind
  readonly session: Watched
  readonly taken: () => void
  readonly replied: () => void
  readonly denied: (request: ServerRequest, reason: string) => void
}

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '')

export class Request implements ServerRequest {
  readonly method: string
  readonly path: string
  readonly authority: string
  readonly headers: IncomingHttpHeaders
  readonly info: ConnInfo
  readonly #stream: ServerHttp2Stream
  readonly #parts: RequestParts
  #conn: Conn | undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, parts: RequestParts) {
    this.method = text(headers[':method'])
    this.path = text(headers[':path'])
    this.authority = text(headers[':authority']) || text(headers.host)
    this.headers = headers
    this.info = parts.carrier
    this.#stream = stream
    this.#parts = parts
  }

  get conn(): Conn {
    const { carrier, kind, session } = this.#parts
    const info = new LayeredInfo(carrier, kind.layer, kind.halfClose)
    this.#conn ??= new Http2Conn(this.#stream, info, session)
    return this.#conn
  }

  take(): void {
    this.#parts.taken()
  }

  respond(headers: OutgoingHttpHeaders, trailers?: OutgoingHttpHeaders): void {
    const stream = this.#stream
    this.take()
    if (stream.destroyed || stream.closed) return
    quietly(() => {
      if (trailers) stream.once('wantTrailers', () => quietly(() => stream.sendTrailers(trailers)))
      stream.respond(headers, { waitForTrailers: trailers !== undefined })
    })
  }

  reply(headers: OutgoingHttpHeaders, body?: Uint8Array): void {
    const stream = this.#stream
    this.#parts.replied()
    if (stream.destroyed || stream.closed) return
    quietly(() => {
      stream.respond(headers)
      if (body && this.method !== 'HEAD') stream.write(body)
      endInOrder(stream)
    })
  }

  deny(reason: string): void {
    this.#parts.denied(this, reason)
  }
}

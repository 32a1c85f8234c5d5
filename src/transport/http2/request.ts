import type { ServerHttp2Stream } from 'node:http2'
import type { Conn, ConnInfo } from '../../core/conn.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import type { SiteBody } from '../../core/website.ts'
import type { Rejected } from '../upgrade/server.ts'
import { endInOrder, Http2Conn, type Watched } from './http2-conn.ts'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerRequest, StreamKind } from './model.ts'
import { quietly } from './options.ts'

interface RequestParts {
  readonly carrier: ConnInfo
  /** Where the client is, if it came by a proxy. */
  readonly client: string | undefined
  readonly kind: StreamKind
  readonly session: Watched
  readonly taken: () => void
  readonly replied: () => void
  readonly denied: (request: ServerRequest, why: Rejected) => void
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
  #conn: Http2Conn | undefined

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
    const { carrier, client, kind, session } = this.#parts
    const info = new LayeredInfo(carrier, kind.layer, kind.halfClose, undefined, client)
    this.#conn ??= new Http2Conn(this.#stream, info, session)
    return this.#conn
  }

  get client(): string {
    return this.#parts.client ?? this.info.remote
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
    this.#conn?.leave()
    if (stream.destroyed || stream.closed) return
    quietly(() => {
      stream.respond(headers)
      if (body && this.method !== 'HEAD') stream.write(body)
      endInOrder(stream, this.#parts.session)
    })
  }

  async replyWith(headers: OutgoingHttpHeaders, body: SiteBody): Promise<void> {
    const stream = this.#stream
    this.#parts.replied()
    try {
      if (stream.destroyed || stream.closed) return
      stream.respond(headers)
      if (this.method !== 'HEAD') {
        for await (const chunk of body.chunks()) if (!stream.write(chunk)) await drained(stream)
      }
      endInOrder(stream, this.#parts.session)
    } catch {
      stream.destroy() // it broke, or its source did: the length that was said must not be made up
    } finally {
      body.close()
    }
  }

  deny(reason: string, elsewhere = true): void {
    this.#parts.denied(this, { reason, elsewhere })
  }
}

/** Rejects when the stream is over first. */
const drained = (stream: ServerHttp2Stream): Promise<void> =>
  new Promise((resolve, reject) => {
    const over = (): void => reject(new Error('the stream is over'))
    if (stream.destroyed) return over()
    stream.once('close', over)
    stream.once('drain', () => {
      stream.off('close', over)
      resolve()
    })
  })

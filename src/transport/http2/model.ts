import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import type { Conn, ConnInfo, HalfClose } from '../../core/conn.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { SiteBody } from '../../core/website.ts'

export type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
export type { KeepAlive as KeepAliveOptions } from '../../settings/http2.ts'

/** What the Conn in a stream says of itself. */
export interface StreamKind {
  /** Added to the layers of the carrier. */
  readonly layer: string
  /** `native`: closeWrite() is END_STREAM. `none`: it only waits until everything is out; END_STREAM comes with destroy(). */
  readonly halfClose: HalfClose
}

/** Head of a response. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

export interface RequestOptions extends StreamKind {
  /** The request has no body: it is complete with its headers. */
  readonly endStream?: boolean
}

/** A request of ours. */
export interface ClientStream {
  /** What is written is the body of the request, what is read that of the response, whatever its status. */
  readonly conn: Conn
  /** Rejects when the stream or its session breaks first. Need not be waited for, or looked at. */
  readonly answer: Promise<Answer>
  /** Trailers of the response, if any came before its end. */
  readonly trailers: IncomingHttpHeaders | undefined
  /** It is over, and the server has seen nothing of it: REFUSED_STREAM, or GOAWAY that names an earlier one as the last. */
  readonly refused: boolean
}

/** One HTTP/2 connection to a server. */
export interface ClientSession extends Lifetime {
  readonly info: ConnInfo
  /** Requests in progress. */
  readonly open: number
  /** It takes one more request: it is not gone, the server has not said GOAWAY, and permits as many. */
  readonly usable: boolean
  /** Throws CONN_CLOSED when it takes no more. */
  request(headers: OutgoingHttpHeaders, options: RequestOptions): ClientStream
  /** Takes no more requests, and ends with the last of those in progress. */
  retire(): void
  /** Ends it with all its requests. Idempotent, never throws. */
  destroy(reason?: Error): void
  /** Runs `run` whenever a request has ended. */
  onIdle(run: () => void): void
}

/** A request of a client. Its stream belongs to whoever serves it: respond() to it, reply() or deny(), or destroy `conn`. */
export interface ServerRequest {
  readonly method: string
  /** As it came, query included. */
  readonly path: string
  /** `:authority`, else Host; `''` if there is neither. */
  readonly authority: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Where the client is: the other end of the connection, or what a trusted proxy says. */
  readonly client: string
  /** The connection that it came by. */
  readonly info: ConnInfo
  /** What is read is the body of the request; what is written is that of the response, after respond(). */
  readonly conn: Conn
  /** Counts its session as known, so that it is pending no more; respond() does that too. */
  take(): void
  /**
   * Sends the head of a response whose body is what is written to `conn`. `trailers` are sent when that ends. Without
   * effect when the client has gone; never throws.
   */
  respond(headers: OutgoingHttpHeaders, trailers?: OutgoingHttpHeaders): void
  /** Sends a whole response, instead of respond(). What the client still sends is dropped; `conn`, if it was asked for, is of no use then. Never throws. */
  reply(headers: OutgoingHttpHeaders, body?: Uint8Array): void
  /** As reply(), with a body that is read as it is sent. Never rejects. */
  replyWith(headers: OutgoingHttpHeaders, body: SiteBody): Promise<void>
  /**
   * Answers as the web site does, and has it told that the request is not for us, and why; of a visitor, who asks for
   * something else altogether, only where there is no site. Never throws.
   */
  deny(reason: string, elsewhere?: boolean): void
}

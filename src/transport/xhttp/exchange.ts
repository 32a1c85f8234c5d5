import type { Conn, ConnInfo } from '../../core/conn.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import type { Header } from '../../protocol/http/headers.ts'
import type { Rejected } from '../upgrade/strangers.ts'

/** A request that came, by whatever version of HTTP. One of answer(), refuse() and open() ends it. */
export interface Exchange {
  /** By HTTP/2 with the names of HTTP/1, and Host from `:authority`. */
  readonly head: RequestHead
  /** Of the connection that it came on. */
  readonly info: ConnInfo
  /** Where the client is: the other end of that, or what a trusted proxy says. */
  readonly client: string
  /** Bytes of the body, where the request says so. */
  readonly bodyLength: number | undefined
  /** The connection, or the stream of one, that it came on: for whoever waits, or gives up. */
  readonly on: Lifetime & Pick<Conn, 'destroy'>
  /**
   * The whole body, owned, or nothing where it is not to be kept; undefined: it has more than `max` bytes. Rejects with
   * HTTP_BAD_REQUEST, or as the connection breaks.
   */
  body(max: number, keep: boolean): Promise<Uint8Array | undefined>
  /** A whole answer, without a body. */
  answer(status: number, headers: readonly Header[]): void
  /** Answers as the web site does whoever is not meant, and has it told why. */
  refuse(why: Rejected): void
  /** Answers 200. What is read is the body of the request, what is written that of the answer, which ends with destroy(). */
  open(headers: readonly Header[]): Conn
}

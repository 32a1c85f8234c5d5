/** The web site that whoever is not for the proxy meets on its port. */

import type { Conn } from './conn.ts'

export interface SiteRequest {
  readonly method: string
  /** Path and query, or an absolute URI, as it came. */
  readonly target: string
  /** Scheme, host and port by which the site was asked, for redirections: `https://a.example`. */
  readonly origin: string
  /** The values of a header by its name, in any case of letters. */
  values(name: string): readonly string[]
  /** All of them, without what concerns the connection, for a server that is asked in turn. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body of the request; absent: none, or it is read by others. */
  readonly body?: Pick<Conn, 'read'>
}

/** Bytes that are read as they are sent. */
export interface SiteBody {
  chunks(): AsyncIterable<Uint8Array>
  /** Called once in any case, after the last of them or instead of it. */
  close(): void
}

/** An answer for HTTP/1 and HTTP/2 alike, without what concerns the connection. Server and Date are added where they are not there. */
export interface SiteAnswer {
  readonly status: number
  /** In the order of nginx; Content-Length among them where there is a body. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Not sent for HEAD. */
  readonly body?: Uint8Array | SiteBody
  /** The connection ends with it. */
  readonly last?: boolean
}

export interface Website {
  /** Never rejects. */
  answer(request: SiteRequest): Promise<SiteAnswer>
  /**
   * Present where another server answers: gives it a connection of HTTP/1 whole, from its first byte. Owns `carrier`, and
   * settles when it is over; never rejects.
   */
  takeOver?(carrier: Conn): Promise<void>
  /** Somebody has configured it: visitors are expected, and nobody is told of them. */
  readonly configured: boolean
}

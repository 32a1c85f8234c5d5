/** What the settings of xhttp come to. */

/** A number is drawn from `from` up to, but not including, `to`. */
export interface XhttpRange {
  readonly from: number
  readonly to: number
}

export interface XhttpPlace {
  readonly at: 'path' | 'query' | 'header' | 'cookie'
  readonly key: string
}

/** Both sides of a connection must have the same. */
export interface XhttpShape {
  /** Begins with a slash, and ends with one where session id or number are in the path. */
  readonly base: string
  /** Without question mark. */
  readonly query: string
  readonly mode: 'auto' | 'packet-up' | 'stream-up' | 'stream-one'
  readonly session: XhttpPlace
  readonly seq: XhttpPlace
  readonly data: {
    readonly at: 'auto' | 'body' | 'header' | 'cookie'
    readonly key: string
    readonly chunk: XhttpRange
  }
  readonly padding: {
    readonly bytes: XhttpRange
    readonly placed?: {
      readonly at: 'cookie' | 'header' | 'query' | 'queryInHeader'
      readonly key: string
      readonly header: string
    }
    readonly method: 'repeat-x' | 'tokenish'
  }
  /** Of uploads. */
  readonly method: string
}

/** Limits of a client's HTTP/2 connections; 0: none. */
export interface XhttpMux {
  readonly maxConcurrency: XhttpRange
  readonly maxConnections: XhttpRange
  readonly cMaxReuseTimes: XhttpRange
  readonly hMaxRequestTimes: XhttpRange
  readonly hMaxReusableSecs: XhttpRange
  /** Silence before a PING, ms; 0: none is sent. */
  readonly keepAliveMs: number
}

export interface XhttpConfig {
  readonly shape: XhttpShape
  /** A client's Host header; `''`: the name that TLS asks for, or the address. */
  readonly host: string
  /** What the Host of a request must be, without its port; `''`: anything. */
  readonly servedHost: string
  /** Further headers of a client; never Host. */
  readonly headers: Readonly<Record<string, string>>
  /** Letters that a client's session ids are made of; `''`: they are UUIDs. */
  readonly ids: { readonly table: string; readonly length: XhttpRange }
  /** Bytes of one post: a client draws, a server takes as many as `to`. */
  readonly postBytes: XhttpRange
  /** Least time between the beginnings of two posts. */
  readonly postsIntervalMs: XhttpRange
  /** Posts of one session that a server holds. */
  readonly maxBufferedPosts: number
  /** Time between two signs of life in the answer to a stream upwards; `to` 0: none. */
  readonly streamUpServerSecs: XhttpRange
  /** Of a request's head; 0: as many as a web server takes. */
  readonly maxHeaderBytes: number
  /** The address of a client is taken from X-Forwarded-For, where a trusted proxy sends it. */
  readonly forwarded: boolean
  readonly noGrpcHeader: boolean
  readonly noSseHeader: boolean
  readonly xmux: XhttpMux
}

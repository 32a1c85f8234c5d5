/** What the settings of the transports over HTTP/2 come to. */

/** How a session finds out that its peer is gone. */
export interface KeepAlive {
  /** Silence of the peer before a PING, ms; 0: none is sent. */
  readonly idleMs: number
  /** How long the answer may take, ms. */
  readonly timeoutMs: number
  /** Also while no stream is open. */
  readonly withoutStreams: boolean
}

/** What their servers have in common. */
export interface Http2ServerConfig {
  readonly keepAlive: KeepAlive
  /** The address of a client is taken from X-Forwarded-For, where a trusted proxy sends it. */
  readonly forwarded: boolean
}

export interface GrpcConfig extends Http2ServerConfig {
  /** As it is written: `name`, or a path of one's own, `/service/stream` or `/service/stream|multi`. */
  readonly serviceName: string
  /** A client asks for TunMulti. */
  readonly multi: boolean
  /** A client's `:authority`; `''`: the name that TLS asks for, or the address. */
  readonly authority: string
  /** A client's User-Agent, or `chrome`, `firefox`, `edge`, and `golang` for none. */
  readonly userAgent: string
  /** Bytes of one stream that may come before they are read; undefined: `limits.http2StreamWindow`. */
  readonly window?: number
}

export interface H2Config extends Http2ServerConfig {
  /** A client takes one of them for each request; a server takes no other. Empty: a client takes the address, a server takes any. */
  readonly hosts: readonly string[]
  /** What a client asks for; a server takes whatever begins with it. */
  readonly path: string
  readonly method: string
  /** A server takes no other method. */
  readonly servedMethod?: string
  /** Further headers, of requests and of responses; names in lower case, never Host. */
  readonly headers: Readonly<Record<string, string>>
}

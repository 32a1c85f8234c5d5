/** What the settings of WebSocket and HTTPUpgrade come to. */

/** First bytes of a stream inside the request that opens it. */
export interface EarlyData {
  /** At most so many bytes. */
  readonly maxBytes: number
  /** The header that they are in; `''`: the end of the path. */
  readonly headerName: string
}

/** What WebSocket and HTTPUpgrade have in common. */
export interface UpgradeConfig {
  /** Path and query that a client asks for; a server compares the path. Begins with a slash. */
  readonly path: string
  /** A client's Host header; `''`: the name that TLS asks for, or the address. */
  readonly host: string
  /** What the Host of a request must be, without its port; `''`: anything. */
  readonly servedHost: string
  /** A server takes the address of a client from X-Forwarded-For, where a trusted proxy sends it. */
  readonly forwarded: boolean
  /** A client's further headers; never Host. */
  readonly headers: Readonly<Record<string, string>>
}

export interface WebSocketConfig extends UpgradeConfig {
  readonly earlyData?: EarlyData
  /** Between two Pings; 0: none. */
  readonly heartbeatMs: number
}

export interface HttpUpgradeConfig extends UpgradeConfig {
  /** A client sends bytes before it has the answer. */
  readonly fastOpen: boolean
}

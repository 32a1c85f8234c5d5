/** What `tcpSettings.header` of the type http comes to. */

/** A header of which one value is drawn for each connection. */
export interface DrawnHeader {
  readonly name: string
  readonly values: readonly string[]
}

export interface DisguiseConfig {
  readonly request: {
    readonly version: string
    readonly method: string
    /** A client draws one, a server takes each. */
    readonly paths: readonly string[]
    readonly headers: readonly DrawnHeader[]
  }
  readonly response: {
    readonly version: string
    readonly status: string
    readonly reason: string
    readonly headers: readonly DrawnHeader[]
  }
}

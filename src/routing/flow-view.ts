/** What rules may know of a flow. The router looks at it and keeps nothing of it. */
export interface FlowView {
  readonly network: 'tcp' | 'udp'
  /** The name or address that rules compare: what first bytes named, or else what the client asked for. */
  readonly host: string
  readonly port: number
  /** Where the flow goes, if that is an address and `host` is a name that only rules go by. */
  readonly goesTo?: string | undefined
  /** Address of the client without its port; `''` or `unix`: none. */
  readonly sourceHost: string
  readonly sourcePort: number
  /** Address that the client connected to, likewise. */
  readonly localHost: string
  readonly localPort: number
  /** E-mail; `''`: nobody. */
  readonly user: string
  readonly inboundTag: string
  /** What first bytes were recognised as; `''`: nothing. */
  readonly protocol: string
  /** `:method`, `:path` and headers of a plain HTTP request to an HTTP inbound. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
  /** The same of a request that was found in first bytes. */
  readonly seenAttributes?: Readonly<Record<string, string>> | undefined
}

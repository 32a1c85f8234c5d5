import type { Network } from '../core/networks.ts'

/** Whose word counts on where a client is. */
export interface ProxyTrust {
  /** Proxies by their addresses. */
  readonly networks: readonly Network[]
  /** Whoever comes by a unix socket. */
  readonly unix: boolean
  /** Names of headers, one of which makes a request trustworthy, wherever it comes from (Xray's `trustedXForwardedFor`). */
  readonly headers: readonly string[]
}

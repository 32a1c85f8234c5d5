import type { ConnInfo } from '../../core/conn.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { Website } from '../../core/website.ts'
import type { ProxyTrust } from '../../settings/trust.ts'

/** What these layers are made with. */
export interface UpgradeDeps {
  readonly env: Env
  /** TLS lies below. */
  readonly secure: boolean
  /** The name that TLS asks for; `''`: the host of the server. */
  readonly serverName: string
  /** A client's time for its handshake. */
  readonly handshakeTimeoutMs: number
  /** What whoever is not for the proxy meets. */
  readonly website: Website
  /** Whom a server believes where a client is. */
  readonly trust: ProxyTrust
  /** Told where a client is that came by a proxy: whatever counts connections by address counts it there. */
  readonly onClientAddress: (carrier: ConnInfo, client: string) => void
  /** Told of a connection whose client has shown on another one who it is. */
  readonly onAdmitted: (carrier: ConnInfo) => void
  /** Told of clients that were turned away, once each. */
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
}

import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'

/** What these layers are made with. */
export interface UpgradeDeps {
  readonly env: Env
  /** TLS lies below. */
  readonly secure: boolean
  /** The name that TLS asks for; `''`: the host of the server. */
  readonly serverName: string
  /** A client's time for its request. */
  readonly handshakeTimeoutMs: number
  /** Told of clients that were turned away, once each. */
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
}

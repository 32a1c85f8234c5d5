/** Settings of outbounds that speak to a SOCKS or HTTP proxy. */

import type { Address } from '../core/address.ts'
import type { Login } from './local.ts'

export interface UpstreamUser extends Login {
  /** Policy level. */
  readonly level: number
}

export interface UpstreamServer {
  readonly address: Address
  /** One is picked at random for each connection; none: the proxy asks for no login. */
  readonly users: readonly UpstreamUser[]
}

export interface SocksOutboundSettings {
  /** Used in turn. */
  readonly servers: readonly UpstreamServer[]
  readonly version: '5' | '4' | '4a'
  /** The login goes out when the proxy has asked for it, not with the first bytes. */
  readonly delayAuth: boolean
}

export interface HttpOutboundSettings {
  /** Used in turn. */
  readonly servers: readonly UpstreamServer[]
  /** Sent with every CONNECT. */
  readonly headers: Readonly<Record<string, string>>
}

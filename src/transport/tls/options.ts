/** What the TLS layer needs, with every file already read: the application turns a TlsServerConfig into this. */

import type { TlsClientConfig, TlsServerConfig } from '../../settings/model.ts'

export interface KeyPair {
  /** PEM, leaf first. */
  readonly cert: string
  readonly key: string
}

export interface TlsClientOptions extends Omit<TlsClientConfig, 'authorities' | 'certificates'> {
  readonly authorities: readonly string[]
  readonly certificates: readonly KeyPair[]
}

export interface TlsServerOptions extends Omit<TlsServerConfig, 'authorities' | 'clientAuthorities' | 'certificates'> {
  readonly clientAuthorities: readonly string[]
  readonly certificates: readonly KeyPair[]
}

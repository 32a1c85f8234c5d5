/** What the TLS layer needs, with every file already read: a Source makes it of a TlsServerConfig or TlsClientConfig. */

import type { TlsClientConfig, TlsServerConfig } from '../../settings/model.ts'

export interface KeyPair {
  /** PEM, leaf first. */
  readonly cert: string
  readonly key: string
}

/** An own certificate of a server. */
export interface ServedPair extends KeyPair {
  /** As in ServedCertificateConfig; absent: none is stapled. */
  readonly ocspStaplingS?: number
}

export interface IssuerPair extends KeyPair {
  /** As in IssuerConfig. */
  readonly buildChain: boolean
}

export interface TlsClientOptions extends Omit<TlsClientConfig, 'authorities' | 'certificates'> {
  readonly authorities: readonly string[]
  readonly certificates: readonly KeyPair[]
}

type FilesOfServer = 'authorities' | 'clientAuthorities' | 'certificates' | 'issuers'

export interface TlsServerOptions extends Omit<TlsServerConfig, FilesOfServer> {
  readonly clientAuthorities: readonly string[]
  readonly certificates: readonly ServedPair[]
  readonly issuers: readonly IssuerPair[]
}

/** Something made from files, which may change. */
export interface Source<T> {
  /** Reads the files and makes it. Throws what is wrong with them. */
  load(): T
  readonly paths: readonly string[]
}

/** What does not change. */
export const fixed = <T>(options: T): Source<T> => ({ load: () => options, paths: [] })

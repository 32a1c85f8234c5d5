/** The part of the model below the proxy protocols: transports, sockets, TLS. */

import type { Address } from '../core/address.ts'
import type { DomainStrategy } from '../core/domain-strategy.ts'
import type { ProxyTrust } from './trust.ts'

/** How bytes travel below the proxy protocol. */
interface StreamConfig {
  /** Name of a kind of transport. */
  readonly network: string
  /** What that kind has made of its settings; absent where it has none. */
  readonly transport?: unknown
}

export interface InboundStreamConfig extends StreamConfig {
  readonly sockopt: InboundSockoptConfig
  readonly trust: ProxyTrust
  /** What whoever is not for the proxy meets; absent: a web server without pages. */
  readonly fallback?: FallbackConfig
  readonly tls?: TlsServerConfig
}

/** Another server, or a folder of files. */
export type FallbackConfig = { readonly to: Address } | { readonly root: string }

export interface OutboundStreamConfig extends StreamConfig {
  readonly sockopt: OutboundSockoptConfig
  readonly tls?: TlsClientConfig
}

export interface SockoptConfig {
  /** Seconds before the first TCP keep-alive probe; negative: off. */
  readonly tcpKeepAliveIdleS: number
}

export interface InboundSockoptConfig extends SockoptConfig {
  /** Every connection begins with a PROXY protocol header; absent: none does. */
  readonly acceptProxyProtocol?: true
  /** An IPv6 address takes no IPv4; absent: `::` takes both. */
  readonly v6Only?: true
}

export interface OutboundSockoptConfig extends SockoptConfig {
  /** How the name of the server is resolved; absent: `AsIs`, which is a race of all its addresses. */
  readonly domainStrategy?: DomainStrategy
  readonly race?: RaceConfig
}

/** How the addresses of a name are tried. What is absent is as RFC 8305 has it. */
export interface RaceConfig {
  /** Between two attempts, ms. */
  readonly delayMs?: number
  /** The family that begins; IPv6 unless given. */
  readonly first?: 4 | 6
  /** How many of the first family come before one of the other; 1 unless given. */
  readonly interleave?: number
  /** Attempts in progress at once. */
  readonly atOnce?: number
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** PEM text given inline, or a path for the application to read; with its place in the configuration, for messages. */
export type PemSource = ({ readonly path: string } | { readonly pem: string }) & {
  /** Path in the configuration. */
  readonly at: string
  readonly file: string
  /** From 1; 0 when the configuration was not text. */
  readonly line: number
  readonly column: number
  /** Read when the program starts, and not again. */
  readonly once?: boolean
}

/** A certificate, leaf first, with its key. */
export interface CertificateConfig {
  readonly cert: PemSource
  readonly key: PemSource
}

/** An own certificate of a server. */
export interface ServedCertificateConfig extends CertificateConfig {
  /** Seconds for which an OCSP answer that is stapled is not asked for again; 0: none is stapled. */
  readonly ocspStaplingS: number
}

/** An authority that signs a certificate for each name that clients ask for. */
export interface IssuerConfig extends CertificateConfig {
  /** Its own certificate is sent behind those that it signs. */
  readonly buildChain: boolean
}

interface TlsCommon {
  readonly alpn: readonly string[]
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
  /** OpenSSL cipher list, already mapped from the IANA names. */
  readonly ciphers?: string
  /** OpenSSL group list, e.g. `X25519:P-256`. */
  readonly curves?: string
  readonly enableSessionResumption: boolean
  /** Extra certificate authorities (usage `verify`). */
  readonly authorities: readonly PemSource[]
  readonly disableSystemRoot: boolean
  /** File that the keys of every connection are appended to, for tools that look into the traffic; `''`: none. */
  readonly masterKeyLog: string
}

export interface TlsServerConfig extends TlsCommon {
  /** The one name that it serves where several inbounds share a port; `''`: those of its certificates. */
  readonly serverName: string
  readonly certificates: readonly ServedCertificateConfig[]
  readonly issuers: readonly IssuerConfig[]
  readonly rejectUnknownSni: boolean
  /** Ask for and verify a client certificate against `clientAuthorities`. */
  readonly verifyClient: boolean
  readonly clientAuthorities: readonly PemSource[]
}

export interface TlsClientConfig extends TlsCommon {
  /** `''`: the destination host. */
  readonly serverName: string
  readonly allowInsecure: boolean
  /** Xray's form: lower-case hex SHA-256 of one certificate's DER. */
  readonly pinnedCertSha256: readonly string[]
  /** V2Ray 5's form: base64 of the chain hash. */
  readonly pinnedChainSha256: readonly string[]
  /** Older Xray's form: base64 SHA-256 of public keys (their SubjectPublicKeyInfo), of which one must be in the chain. */
  readonly pinnedPublicKeySha256: readonly string[]
  /** Names of which one must be in the certificate, instead of serverName. */
  readonly verifyNames: readonly string[]
  /** Own certificate for client verification (usage `encipherment` on an outbound). */
  readonly certificates: readonly CertificateConfig[]
}

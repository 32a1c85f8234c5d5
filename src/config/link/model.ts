/** What every form of share link says, whoever wrote it. */
export interface ShareLink {
  /** For people; `address:port` when the link gives no name. Without control characters. */
  readonly name: string
  /** IPv4 or IPv6 text without brackets, or a domain name in ASCII. */
  readonly address: string
  /** 1 to 65535. */
  readonly port: number
  /** A UUID or a custom string of 1 to 30 bytes, as written in the link. A secret. */
  readonly id: string
  /** 0 to 65535; 0 means the AEAD header. */
  readonly alterId: number
  /** VMess cipher, `auto` when the link says nothing. */
  readonly security: string
  readonly transport: LinkTransport
  /** Absent: no TLS. */
  readonly tls?: LinkTls
  /** `AuthenticatedLength`, `NoTerminationSignal`, joined by `|`; `''` for neither. */
  readonly experiments: string
  /** How UDP is wrapped; absent when the link does not say. */
  readonly packetEncoding?: 'none' | 'packet' | 'xudp'
  /** The link asks for Mux.Cool. */
  readonly mux: boolean
  /** Parameters that have no meaning here, by their names in the link. formatLink and linkToOutbound leave them out. */
  readonly unknown: Readonly<Record<string, string>>
}

export interface EarlyData {
  /** Most bytes that travel inside the upgrade request. */
  readonly maxBytes: number
  readonly headerName: string
}

export const defaultEarlyDataHeader = 'Sec-WebSocket-Protocol'

/** What WebSocket and HTTPUpgrade have in common. */
interface UpgradeWords {
  readonly path: string
  readonly host: string
  readonly earlyData?: EarlyData
  /** Further headers of the request; links have no place for them. */
  readonly headers?: Readonly<Record<string, string>>
}

export type LinkTransport =
  /** `http` present: the HTTP header in front of the stream. */
  | { readonly network: 'tcp'; readonly http?: { readonly host: readonly string[]; readonly path: readonly string[] } }
  | {
      readonly network: 'kcp'
      readonly headerType: string
      readonly seed: string
      /** MB/s. */
      readonly uplinkCapacity?: number
      /** MB/s. */
      readonly downlinkCapacity?: number
    }
  | (UpgradeWords & { readonly network: 'ws' })
  | (UpgradeWords & { readonly network: 'httpupgrade' })
  | {
      readonly network: 'xhttp'
      readonly path: string
      readonly host: string
      readonly mode: string
      /** Further settings, as `extra` of a configuration has them. */
      readonly extra?: LinkSettings
    }
  | { readonly network: 'h2'; readonly path: string; readonly host: readonly string[] }
  | { readonly network: 'quic'; readonly security: string; readonly key: string; readonly headerType: string }
  | {
      readonly network: 'grpc'
      readonly serviceName: string
      readonly mode: 'gun' | 'multi'
      readonly authority: string
    }
  /** One that has come since: its name, and its settings under `key`, as a configuration has them. */
  | { readonly network: 'other'; readonly name: string; readonly key: string; readonly settings: LinkSettings }

export type LinkSettings = Readonly<Record<string, unknown>>

export interface LinkTls {
  /** `''`: the link's address. */
  readonly serverName: string
  readonly alpn: readonly string[]
  readonly allowInsecure: boolean
  /** Browser whose handshake the link asks to imitate; `''` for none. Kept, cannot be honoured. */
  readonly fingerprint: string
  /** Lower-case hex SHA-256 of one certificate's DER. */
  readonly pinnedCertSha256: readonly string[]
  /** Names of which one must be in the certificate, instead of serverName. */
  readonly verifyNames: readonly string[]
}

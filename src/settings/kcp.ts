/** What `kcpSettings` and `finalmask` come to. */

/** What lies around the segments of mKCP. */
export type KcpMask =
  /** V2Ray's seal without a seed. */
  | { readonly type: 'plain' }
  | { readonly type: 'gcm'; readonly seed: string }
  | { readonly type: 'srtp' | 'utp' | 'wechat-video' | 'dtls' | 'wireguard' }
  | { readonly type: 'dns'; readonly domain: string }

export interface KcpConfig {
  /** Bytes of a datagram, at most. */
  readonly mtu: number
  readonly ttiMs: number
  /** What is sent, and what is taken in, MB/s: each end's own. */
  readonly uplinkCapacity: number
  readonly downlinkCapacity: number
  readonly congestion: boolean
  /** Bytes; 0: 512 KiB. */
  readonly readBuffer: number
  readonly writeBuffer: number
  /** Innermost first. */
  readonly masks: readonly KcpMask[]
  /** Nothing was said of seal or header: V2Ray's seal then, or none, as Xray has it since 26.1.31. The peer decides which. */
  readonly orBare?: true
}

/** What first bytes were recognised as. */
export interface Sniffed {
  /** As rules of a router name it. */
  readonly protocol: 'http1' | 'tls' | 'quic' | 'bittorrent'
  /** The name in them, which may be an IP address (IPv6 in brackets or bare); `''` where there is none that could be dialled. */
  readonly domain: string
  /** Of an HTTP request: `:method` and `:path` as on its first line, and headers with their names in lower case. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** What one sniffer makes of the bytes so far: recognised, certainly not this protocol, or more bytes may tell. */
export type Verdict = Sniffed | 'no' | 'undecided'

/**
 * The name as it may replace a target; `''` for one that nobody could look up. Peers take anything here, and so dial `user@host`
 * or a name with a NUL.
 */
export const usableName = (name: string): string =>
  /^(?:[\w.-]{1,255}|[0-9A-Fa-f:.]{2,45}|\[[0-9A-Fa-f:.]{2,45}\])$/.test(name) ? name : ''

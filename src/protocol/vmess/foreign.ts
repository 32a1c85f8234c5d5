/** Names what somebody spoke instead of VMess, for log messages only: on the wire all strangers are treated alike. */

export type ForeignProtocol = 'HTTP' | 'TLS' | 'SOCKS4' | 'SOCKS5' | 'SSH' | 'PROXY protocol'

const httpStart = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH|PROPFIND|PRI) [/*\w]/
const proxyV2Start = '\r\n\r\n\0\r\nQUIT\n'

/** The protocol that `bytes` begin like. A dozen bytes are enough for all but odd cases; fewer may do. */
export function recognise(bytes: Uint8Array): ForeignProtocol | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  if (httpStart.test(start)) return 'HTTP'
  if (start.startsWith('SSH-')) return 'SSH'
  if (/^PROXY (?:TCP[46]|UNKNOWN)/.test(start) || start.startsWith(proxyV2Start)) return 'PROXY protocol'
  if (isTlsClientHello(bytes)) return 'TLS'
  if (isSocks4(bytes)) return 'SOCKS4'
  return isSocks5(bytes) ? 'SOCKS5' : undefined
}

/** What a foreign protocol shows of itself, e.g. the method of an HTTP request; `''` if there is nothing to show. */
export function foreignDetail(kind: ForeignProtocol, bytes: Uint8Array): string {
  if (kind !== 'HTTP') return ''
  return `${String.fromCharCode(...bytes.subarray(0, 9)).split(' ')[0]} …`
}

/** A handshake record of TLS 1.x (or SSL 3) whose first message is a ClientHello. */
const isTlsClientHello = (b: Uint8Array): boolean =>
  b.length >= 3 && b[0] === 0x16 && b[1] === 3 && b[2]! <= 4 && (b.length < 6 || b[5] === 1)

/** CONNECT or BIND, port, address, user id up to a zero byte. */
const isSocks4 = (b: Uint8Array): boolean =>
  b.length >= 8 && b[0] === 4 && (b[1] === 1 || b[1] === 2) && (b.length === 8 || b.indexOf(0, 8) >= 0)

/** A greeting: the number of methods, then the methods themselves, of which few exist; behind it a request or a password. */
function isSocks5(b: Uint8Array): boolean {
  const end = 2 + (b[1] ?? 0)
  if (b[0] !== 5 || end < 3 || b.length < end) return false
  const known = b.subarray(2, end).every((method) => method <= 9 || method >= 0x80)
  return known && (b.length === end || b[end] === 5 || b[end] === 1)
}

import { type Address, type Host, parseHost } from '../../core/address.ts'
import type { ErrorCode, ProxyError } from '../../core/errors.ts'

/** Reply codes of RFC 1928, section 6. SOCKS4 knows only granted and refused. */
export type ReplyCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

/**
 * A time-out is answered as "host unreachable" and not as 6, "TTL expired": people read the words, and nothing expired
 * on the way.
 */
const replyCodes: Partial<Record<ErrorCode, ReplyCode>> = {
  DIAL_REFUSED: 5,
  DIAL_TIMEOUT: 4,
  DIAL_UNREACHABLE: 3,
  DNS_FAILED: 4,
  OUTBOUND_BLOCKED: 2,
}

/** What a client is told about a target that could not be connected; 1, "general failure", for what has no code. */
export const replyCodeFor = (error: ProxyError): ReplyCode => replyCodes[error.code] ?? 1

/**
 * The reply to a request: 8 bytes for version 4, 10 or 22 for version 5. `bound` is the near end of the connection that
 * was made; it is told to SOCKS5 clients if it is an IP address, else they are told 0.0.0.0:0.
 */
export function socksReply(version: 4 | 5, code: ReplyCode, bound?: Address): Uint8Array {
  if (version === 4) return Uint8Array.of(0, code === 0 ? 0x5a : 0x5b, 0, 0, 0, 0, 0, 0)
  const host: Host = parseHost(bound?.host ?? '')
  if (!bound || host.kind === 'domain') return Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0)
  const { bytes } = host
  return Uint8Array.of(5, code, 0, host.kind === 'ipv4' ? 1 : 4, ...bytes, bound.port >> 8, bound.port & 0xff)
}

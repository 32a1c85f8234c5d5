/**
 * packetaddr of V2Ray 5 and sing-box: every datagram says where it goes to, or comes from.
 *
 *     kind 1 | ip | port 2 | payload        kind 1: IPv4, 4 bytes; 2: IPv6, 16 bytes
 *
 * One unit is one datagram of an ordinary UDP request to `sequencedTarget`.
 */
import { type Address, formatHost, hostFromIP, parseHost } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'

const kinds = { ipv4: 1, ipv6: 2 } as const
const portLength = 2

/** Where a request whose datagrams are units claims to go. */
export const sequencedTarget: Address = { host: 'sp.packet-addr.v2fly.arpa', port: 0 }
/** Where a stream of units, each behind its length, claims to go. */
export const streamTarget: Address = { host: 'st.packet-addr.v2fly.arpa', port: 0 }

/** Bytes by which a unit is longer than its payload, at most. */
export const unitOverhead = 1 + 16 + portLength

/**
 * Writes a unit into `into` at `at` and returns the offset behind it.
 * @throws ProxyError ADDRESS_INVALID for anything but an IP address and a port; then nothing is written
 */
export function writeUnit(payload: Uint8Array, address: Address, into: Uint8Array, at: number): number {
  const { port } = address
  const host = parseHost(address.host)
  if (host.kind === 'domain' || address.path !== undefined || !(port >= 0 && port <= 0xffff)) {
    throw new ProxyError('ADDRESS_INVALID', 'packetaddr carries IP addresses only', {
      hint: 'have names resolved, or take XUDP',
    })
  }
  into[at] = kinds[host.kind]
  into.set(host.bytes, at + 1)
  at += 1 + host.bytes.length
  into[at] = port >> 8
  into[at + 1] = port
  into.set(payload, at + portLength)
  return at + portLength + payload.length
}

export interface Unit {
  readonly address: Address
  /** A view of what was read. */
  readonly payload: Uint8Array
}

/** @throws ProxyError PACKETADDR_MALFORMED */
export function readUnit(bytes: Uint8Array): Unit {
  const length = bytes[0] === kinds.ipv4 ? 4 : bytes[0] === kinds.ipv6 ? 16 : 0
  if (length === 0) {
    throw new ProxyError('PACKETADDR_MALFORMED', `address kind ${bytes[0]}; known are 1 (IPv4) and 2 (IPv6)`)
  }
  const at = 1 + length
  if (bytes.length < at + portLength) {
    throw new ProxyError('PACKETADDR_MALFORMED', `a unit of ${bytes.length} bytes cannot hold its address`)
  }
  const host = formatHost(hostFromIP(bytes.subarray(1, at)))
  return { address: { host, port: (bytes[at]! << 8) | bytes[at + 1]! }, payload: bytes.subarray(at + portLength) }
}

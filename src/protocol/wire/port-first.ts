/**
 * The address block of VMess, Mux.Cool and XUDP.
 *
 *     port 2 | kind 1 | host      kind 1: IPv4, 4 bytes; 2: length 1 and domain; 3: IPv6, 16 bytes
 */
import { type Address, formatHost, hostFromIP, parseHost } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { isCarriableDomain, readHostText } from './host-text.ts'

export const hostKinds = { ipv4: 1, domain: 2, ipv6: 3 } as const

/** The longest block, bytes. */
export const portFirstMax = 259

/** The block, 7 to 259 bytes. @throws ProxyError ADDRESS_INVALID for what peers do not take */
export function encodePortFirst({ host: text, port, path }: Address): Uint8Array {
  const host = parseHost(text)
  if (path !== undefined) throw new ProxyError('ADDRESS_INVALID', 'no request can carry the path of a unix socket')
  if (host.kind === 'domain' && !isCarriableDomain(host.name)) throw invalidDomain(host.name)
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new ProxyError('ADDRESS_INVALID', `the port ${port} is not in the range of 0 to 65535`)
  }
  const head = [port >> 8, port & 0xff, hostKinds[host.kind]]
  if (host.kind !== 'domain') return Uint8Array.of(...head, ...host.bytes)
  return Uint8Array.of(...head, host.name.length, ...new TextEncoder().encode(host.name))
}

function invalidDomain(name: string): ProxyError {
  const what =
    name.length > 255 ? 'it has over 255 characters' : 'letters, digits, "-", "." and "_" are all that servers take'
  return new ProxyError(
    'ADDRESS_INVALID',
    `the domain ${JSON.stringify(name.slice(0, 64))} cannot be carried: ${what}`,
    {
      hint: 'write international names in punycode (xn--…)',
    },
  )
}

/** Length of the block at `at`; 0 where the bytes up to `end` hold none, or none of a known kind. */
export function portFirstLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 4) return 0
  const kind = bytes[at + 2]
  const host = kind === hostKinds.ipv4 ? 4 : kind === hostKinds.ipv6 ? 16 : 1 + bytes[at + 3]!
  const known = kind === hostKinds.ipv4 || kind === hostKinds.ipv6 || kind === hostKinds.domain
  return known && end - at >= 3 + host ? 3 + host : 0
}

/** The address in a complete block; undefined for a domain that is empty or has impossible characters. */
export function decodePortFirst(block: Uint8Array): Address | undefined {
  const port = (block[0]! << 8) | block[1]!
  if (block[2] !== hostKinds.domain) return { host: formatHost(hostFromIP(block.subarray(3))), port }
  const host = readHostText(block.subarray(4))
  return host === undefined ? undefined : { host, port }
}

/** Addresses as values, and the one place where their text and byte forms are parsed and printed. */

export type Host =
  | { readonly kind: 'ipv4'; readonly bytes: Uint8Array }
  | { readonly kind: 'ipv6'; readonly bytes: Uint8Array }
  | { readonly kind: 'domain'; readonly name: string }

/** Where a connection goes: a host and a TCP or UDP port, or a unix socket path. */
export interface Address {
  /** IPv4 or IPv6 text without brackets, or a domain name. */
  readonly host: string
  /** 0 to 65535. */
  readonly port: number
  /** Path of a unix socket (`\0name` for an abstract one). When set, host and port are informative. */
  readonly path?: string
}

/** Four bytes of dotted decimal text, or undefined. Leading zeros and short forms are not accepted. */
export function parseIPv4(text: string): Uint8Array | undefined {
  // Every connection comes by here several times: no expression, and nothing made for what is no address.
  if (text.length > 15) return undefined
  let packed = 0
  let value = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit >= 0 && digit <= 9 && value !== 0) {
      value = value < 0 ? digit : 10 * value + digit
      if (value > 255) return undefined
    } else if (text[i] === '.' && value >= 0 && dots < 3) {
      packed = (packed << 8) | value
      value = -1
      dots++
    } else return undefined
  }
  return dots === 3 && value >= 0 ? Uint8Array.of(packed >> 16, packed >> 8, packed, value) : undefined
}

/** Sixteen bytes of IPv6 text (no brackets, no zone), or undefined. */
export function parseIPv6(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0]!)
  const tail = halves.length === 2 ? groupsOf(halves[1]!) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const bytes = new Uint8Array(16)
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  groups.forEach((group, i) => {
    bytes[i * 2] = group >> 8
    bytes[i * 2 + 1] = group & 0xff
  })
  return bytes
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = i === parts.length - 1 ? parseIPv4(part) : undefined
      if (!v4) return undefined
      groups.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
    } else {
      return undefined
    }
  }
  return groups
}

/** Reads a host as an IP literal (IPv6 with or without brackets; v4-mapped becomes IPv4) or else as a domain name. */
export function parseHost(text: string): Host {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const v4 = parseIPv4(bare)
  if (v4) return { kind: 'ipv4', bytes: v4 }
  const v6 = parseIPv6(bare)
  if (v6) return hostFromIP(v6)
  return { kind: 'domain', name: text }
}

/** A host from 4 or 16 address bytes; a v4-mapped IPv6 address becomes IPv4. The bytes are copied. */
export function hostFromIP(bytes: Uint8Array): Host {
  if (bytes.length === 4) return { kind: 'ipv4', bytes: bytes.slice() }
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  return mapped ? { kind: 'ipv4', bytes: bytes.slice(12) } : { kind: 'ipv6', bytes: bytes.slice() }
}

/** Text of a host: dotted decimal, shortest IPv6 form (RFC 5952) without brackets, or the domain. */
export function formatHost(host: Host): string {
  if (host.kind === 'domain') return host.name
  if (host.kind === 'ipv4') return host.bytes.join('.')
  const groups: string[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((host.bytes[i]! << 8) | host.bytes[i + 1]!).toString(16))
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((m) => ({ at: m.index, text: m[0] }))
  const longest = runs.sort((a, b) => zeros(b.text) - zeros(a.text) || a.at - b.at)[0]
  const joined = groups.join(':')
  if (!longest) return joined
  const before = joined.slice(0, longest.at)
  const after = joined.slice(longest.at + longest.text.length)
  return `${before}::${after.replace(/^:/, '')}`
}

const zeros = (run: string) => run.replaceAll(':', '').length

/** `host:port` with brackets around IPv6, or `unix:path`. */
export function formatAddress(address: Address): string {
  if (address.path !== undefined) return `unix:${address.path.replace(/^\0/, '@').replace(/\0+$/, '')}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Reads what formatAddress wrote; undefined for anything else, `''` included. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('unix:')) return { host: '', port: 0, path: text.slice(5).replace(/^@/, '\0') }
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  return match && port <= 0xffff ? { host: match[1] ?? match[2]!, port } : undefined
}

/** True for 127.0.0.0/8, ::1, `localhost` and unix sockets. */
export function isLoopback(address: Address): boolean {
  if (address.path !== undefined) return true
  if (address.host.toLowerCase() === 'localhost') return true
  const host = parseHost(address.host)
  if (host.kind === 'ipv4') return host.bytes[0] === 127
  return host.kind === 'ipv6' && host.bytes.every((b, i) => b === (i === 15 ? 1 : 0))
}

/** The host of an endpoint such as ConnInfo.remote: `ip`, `[ip]`, or `unix` of `unix:path`. */
export const endpointHost = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(':')) || endpoint

/** Port of `host:port`, `[host]:port`, or of a port alone; NaN for what has none. */
export const endpointPort = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))

/** What limits count as one address: an IPv4 address, an IPv6 network of 64 bits, or everything that has no address. */
export function addressKey(host: string): string {
  if (!host.includes(':')) return host === 'unix' ? '' : host
  if (host.startsWith('unix:')) return ''
  const parsed = parseHost(host.replace(/%.*?(?=\]|$)/, ''))
  if (parsed.kind === 'domain') return host
  return parsed.kind === 'ipv4' ? parsed.bytes.join('.') : `${parsed.bytes.subarray(0, 8).join('.')}/64`
}

import { type Host, parseHost } from './address.ts'

/** IP addresses that begin with the same bits. */
export interface Network {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array
  /** How many bits count, from the first. */
  readonly bits: number
}

/** Reads `10.0.0.0/8`, `2001:db8::/32`, or one address; undefined if it is none of them. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...others] = text.split('/')
  const host = parseHost(address)
  if (host.kind === 'domain' || others.length > 0) return undefined
  const most = host.bytes.length * 8
  if (length === undefined) return { bytes: host.bytes, bits: most }
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : -1
  return bits >= 0 && bits <= most ? { bytes: host.bytes, bits } : undefined
}

/** Whether an address lies in a network. A name lies in none. */
export function isIn(host: Host, { bytes, bits }: Network): boolean {
  if (host.kind === 'domain' || host.bytes.length !== bytes.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (host.bytes[i] !== bytes[i]) return false
  const rest = bits & 7
  return rest === 0 || ((host.bytes[whole]! ^ bytes[whole]!) & (0xff00 >> rest) & 0xff) === 0
}

import { formatHost, hostFromIP, parseIPv4, parseIPv6 } from '../../core/address.ts'
import { lookUp } from '../../core/lookup.ts'

/** Bits kept of an IPv4 and of an IPv6 address. */
const words: Readonly<Record<string, readonly [number, number]>> = { full: [0, 0], quarter: [8, 16], half: [16, 32] }

const candidates = /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?/g

/** Hides IP addresses in log text, as `maskAddress` of the configuration says: `half`, `quarter`, `full`, `/a+/b`. */
export function addressMask(setting: string): (text: string) => string {
  const kept = lookUp(words, setting) ?? bitsOf(setting)
  if (!kept) return (text) => text
  return (text) => text.replace(candidates, (found) => maskV4(found, kept[0]) ?? maskV6(found, kept) ?? found)
}

function bitsOf(setting: string): readonly [number, number] | undefined {
  const match = /^\/(\d+)(?:\+\/(\d+))?$/.exec(setting)
  return match ? [Number(match[1]), Number(match[2] ?? 128)] : undefined
}

function maskV4(text: string, bits: number): string | undefined {
  if (!parseIPv4(text)) return undefined
  if (bits === 0) return '[Masked IPv4]'
  const kept = Math.floor(bits / 8)
  return text
    .split('.')
    .map((part, i) => (i < kept ? part : '*'))
    .join('.')
}

function maskV6(text: string, [bitsV4, bits]: readonly [number, number]): string | undefined {
  const bytes = parseIPv6(text)
  if (!bytes) return undefined
  const host = hostFromIP(bytes)
  if (host.kind === 'ipv4') return maskV4(formatHost(host), bitsV4)
  if (bits === 0) return '[Masked IPv6]'
  if (bits >= 128) return text
  const cut = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))))
  return `${formatHost({ kind: 'ipv6', bytes: cut })}/${bits}`
}

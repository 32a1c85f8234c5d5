import { type Address, formatHost, type Host, parseHost } from '../../core/address.ts'
import { fixedPart, signature } from './model.ts'

/** The header of a connection from `source` to `destination`; of one whose ends are not known it says just that. */
export function proxyHeader(version: 1 | 2, source: Address | undefined, destination: Address | undefined): Uint8Array {
  const from = ipOf(source)
  const to = ipOf(destination)
  if (!from || !to || !source || !destination) return version === 1 ? ascii('PROXY UNKNOWN\r\n') : block(0x20, 0, [])
  const ipv4 = from.kind === 'ipv4' && to.kind === 'ipv4'
  const ports = [source.port, destination.port] as const
  if (version === 1) {
    const hosts = ipv4 ? [from, to].map(formatHost) : [from, to].map(asIPv6)
    return ascii(`PROXY ${ipv4 ? 'TCP4' : 'TCP6'} ${hosts.join(' ')} ${ports.join(' ')}\r\n`)
  }
  const hosts = ipv4 ? [...from.bytes, ...to.bytes] : [...sixteen(from), ...sixteen(to)]
  return block(0x21, ipv4 ? 0x11 : 0x21, [...hosts, ...ports.flatMap((port) => [port >> 8, port & 0xff])])
}

type IP = Exclude<Host, { kind: 'domain' }>

function ipOf(address: Address | undefined): IP | undefined {
  const host = address && address.path === undefined ? parseHost(address.host.replace(/%.*$/, '')) : undefined
  return host && host.kind !== 'domain' ? host : undefined
}

/** Where the families differ, IPv4 is written as IPv6 has it. */
const asIPv6 = (host: IP): string => (host.kind === 'ipv4' ? `::ffff:${formatHost(host)}` : formatHost(host))

const sixteen = ({ kind, bytes }: IP): Uint8Array =>
  kind === 'ipv6' ? bytes : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes)

function block(command: number, kind: number, addresses: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(fixedPart + addresses.length)
  bytes.set(signature)
  bytes.set([command, kind, addresses.length >> 8, addresses.length & 0xff, ...addresses], signature.length)
  return bytes
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

import { type Address, parseHost } from '../../core/address.ts'
import { domainOf } from './domain.ts'

/** Kind, host and port as SOCKS5 writes them, 7 to 259 bytes; undefined for a name that no server takes. */
export function addressBytes({ host, port }: Address): Uint8Array | undefined {
  const parsed = parseHost(host)
  const tail = [port >> 8, port & 0xff]
  if (parsed.kind !== 'domain') return Uint8Array.of(parsed.kind === 'ipv4' ? 1 : 4, ...parsed.bytes, ...tail)
  const name = domainBytes(parsed.name)
  return name && Uint8Array.of(3, name.length, ...name, ...tail)
}

/** A name as bytes; undefined for one that no server takes. */
export function domainBytes(name: string): Uint8Array | undefined {
  const bytes = Uint8Array.from(name, (character) => character.charCodeAt(0))
  return name.length <= 255 && domainOf(bytes) === name ? bytes : undefined
}

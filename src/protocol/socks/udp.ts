/**
 * Datagrams between a SOCKS5 client and its server, RFC 1928, section 7:
 *
 *     00 00 | fragment | kind | host | port | data     kind 01 IPv4, 03 length and domain, 04 IPv6
 *
 * The address is the target's on the way there, and the source's on the way back.
 */
import { type Address, formatHost, hostFromIP } from '../../core/address.ts'
import { addressBytes } from './address.ts'
import { domainOf } from './domain.ts'

/** Why a datagram cannot be carried: V2Ray and Xray drop all of these, too. */
export type SocksUdpFlaw = 'short' | 'fragment' | 'kind' | 'domain' | 'port' | 'empty'

/** Bytes in front of the host. */
const fixed = 4

/** Reads the header of a client's datagrams. Keeps the last one: most are the same as the one before. */
export class SocksUdpReader {
  /** Target of the last datagram that could be read. */
  address: Address = { host: '', port: 0 }
  /** What was wrong with the last one, when open() gave -1. */
  flaw: SocksUdpFlaw = 'short'
  /** Header of the last one from `kind` on. */
  #last: Uint8Array = new Uint8Array(0)

  /** Offset of the data, of which there is at least one byte, or -1. */
  open(datagram: Uint8Array): number {
    if (datagram.length < fixed + 1) return this.#flawed('short')
    if (datagram[2] !== 0) return this.#flawed('fragment')
    const end = headerLength(datagram)
    if (end === undefined) return this.#flawed('kind')
    if (datagram.length < end) return this.#flawed('short')
    if (datagram.length === end) return this.#flawed('empty')
    if (this.#isLast(datagram, end)) return end
    const port = (datagram[end - 2]! << 8) | datagram[end - 1]!
    if (port === 0) return this.#flawed('port')
    const host = hostOf(datagram, end - 2)
    if (host === undefined) return this.#flawed('domain')
    this.address = { host, port }
    this.#last = new Uint8Array(datagram.subarray(fixed - 1, end))
    return end
  }

  #isLast(datagram: Uint8Array, end: number): boolean {
    const last = this.#last
    if (last.length !== end - fixed + 1) return false
    for (let i = 0; i < last.length; i++) if (last[i] !== datagram[fixed - 1 + i]) return false
    return true
  }

  #flawed(flaw: SocksUdpFlaw): -1 {
    this.flaw = flaw
    return -1
  }
}

/** Length of the whole header, or undefined for a kind of address that there is not. */
function headerLength(datagram: Uint8Array): number | undefined {
  switch (datagram[3]) {
    case 1:
      return fixed + 4 + 2
    case 3:
      return fixed + 1 + datagram[fixed]! + 2
    case 4:
      return fixed + 16 + 2
    default:
      return undefined
  }
}

function hostOf(datagram: Uint8Array, end: number): string | undefined {
  if (datagram[3] === 3) return domainOf(datagram.subarray(fixed + 1, end))
  return formatHost(hostFromIP(datagram.subarray(fixed, end)))
}

/** Writes the header of datagrams. Keeps the last one, too. */
export class SocksUdpWriter {
  #of: Address | undefined
  #header: Uint8Array = new Uint8Array(0)

  /** What goes in front of data from there; a name that no header holds is left out as 0.0.0.0. Not to be changed. */
  header(from: Address): Uint8Array {
    if (from !== this.#of) {
      this.#of = from
      this.#header = encode(from)
    }
    return this.#header
  }
}

const nowhere = Uint8Array.of(1, 0, 0, 0, 0)

function encode(address: Address): Uint8Array {
  const written = addressBytes(address) ?? Uint8Array.of(...nowhere, address.port >> 8, address.port & 0xff)
  return Uint8Array.of(0, 0, 0, ...written)
}

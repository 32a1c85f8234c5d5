/** Sets of addresses: sorted ranges that do not meet, apart for the two families. */
import { parseHost } from '../core/address.ts'

/** An IPv4 address as an unsigned number, an IPv6 address as four of them. What is IPv4 in IPv6 is IPv4. */
export type Ip = number | Uint32Array

/** Undefined for a name. */
export function ipOf(text: string): Ip | undefined {
  // Addresses of four numbers end in a digit, all others have a colon: names are told at a glance.
  const last = text.charCodeAt(text.length - 1)
  if (!(last >= 48 && last <= 57) && !text.includes(':')) return undefined
  const host = parseHost(text)
  return host.kind === 'domain' ? undefined : ipOfBytes(host.bytes)
}

/** Of 4 or 16 bytes. */
export function ipOfBytes(bytes: Uint8Array): Ip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length === 4) return view.getUint32(0)
  if (view.getUint32(0) === 0 && view.getUint32(4) === 0 && view.getUint32(8) === 0xffff) return view.getUint32(12)
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12))
}

/** Collects blocks, in any order and with any overlap. */
export class AddressSetBuilder {
  readonly #v4: [from: number, to: number][] = []
  readonly #v6: [from: Uint32Array, to: Uint32Array][] = []

  /** A block of 4 or 16 bytes, of which `prefix` bits count. One of 16 bytes that is IPv4 in IPv6 counts as 4 bytes. */
  add(bytes: Uint8Array, prefix: number): void {
    const ip = ipOfBytes(bytes)
    if (typeof ip === 'number') {
      const size = 2 ** (32 - Math.min(prefix, 32))
      const from = Math.floor(ip / size) * size
      this.#v4.push([from, from + size - 1])
      return
    }
    const from = ip.slice()
    const to = ip.slice()
    for (let word = 0; word < 4; word++) {
      const bits = Math.max(0, Math.min(32, prefix - word * 32))
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
      from[word] = (ip[word]! & mask) >>> 0
      to[word] = (ip[word]! | ~mask) >>> 0
    }
    this.#v6.push([from, to])
  }

  build(): AddressSet {
    this.#v4.sort((a, b) => a[0] - b[0])
    const v4: number[] = []
    for (const [from, to] of this.#v4) {
      const last = v4.length - 1
      if (last > 0 && from <= v4[last]! + 1) v4[last] = Math.max(v4[last]!, to)
      else v4.push(from, to)
    }
    this.#v6.sort((a, b) => compare(a[0], 0, b[0], 0))
    const v6: Uint32Array[] = []
    for (const [from, to] of this.#v6) {
      const last = v6.at(-1)
      if (last && compare(from, 0, last, 0) <= 0) {
        if (compare(to, 0, last, 0) > 0) v6[v6.length - 1] = to
      } else v6.push(from, to)
    }
    const words = new Uint32Array(v6.length * 4)
    for (const [i, ip] of v6.entries()) words.set(ip, i * 4)
    return new AddressSet(Uint32Array.from(v4), words)
  }
}

/** What a condition asks of addresses. */
export interface Addresses {
  /** Whether it has addresses of the family of `ip` at all. */
  knows(ip: Ip): boolean
  has(ip: Ip): boolean
}

export class AddressSet implements Addresses {
  /** First, last, first, last … in ascending order. */
  readonly #v4: Uint32Array
  /** The same, four words each. */
  readonly #v6: Uint32Array

  constructor(v4: Uint32Array, v6: Uint32Array) {
    this.#v4 = v4
    this.#v6 = v6
  }

  knows(ip: Ip): boolean {
    return typeof ip === 'number' ? this.#v4.length > 0 : this.#v6.length > 0
  }

  has(ip: Ip): boolean {
    return typeof ip === 'number' ? this.#hasV4(ip) : this.#hasV6(ip)
  }

  #hasV4(ip: number): boolean {
    const ranges = this.#v4
    let low = 0
    let high = ranges.length >> 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (ip > ranges[middle * 2 + 1]!) low = middle + 1
      else high = middle
    }
    return low * 2 < ranges.length && ip >= ranges[low * 2]!
  }

  #hasV6(ip: Uint32Array): boolean {
    const ranges = this.#v6
    let low = 0
    let high = ranges.length >> 3
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(ip, 0, ranges, middle * 8 + 4) > 0) low = middle + 1
      else high = middle
    }
    return low * 8 < ranges.length && compare(ip, 0, ranges, low * 8) >= 0
  }
}

function compare(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  for (let i = 0; i < 4; i++) {
    const difference = a[atA + i]! - b[atB + i]!
    if (difference !== 0) return difference
  }
  return 0
}

import { formatHost, hostFromIP, parseHost } from '../../core/address.ts'
import type { FakePoolConfig } from '../../settings/dns.ts'

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** Addresses of one network, each for one name: the same one while it is remembered. When full the name goes that was used longest ago. */
export class FakePool {
  readonly type: 'A' | 'AAAA'
  readonly #base: bigint
  readonly #bytes: number
  readonly #count: bigint
  readonly #size: number
  /** In the order of use. */
  readonly #addresses = new Map<string, string>()
  readonly #names = new Map<string, string>()
  #next = 0n

  constructor({ base, prefix, size }: FakePoolConfig) {
    const host = parseHost(base)
    if (host.kind === 'domain') throw new RangeError(`${base} is no IP address`)
    this.type = host.kind === 'ipv4' ? 'A' : 'AAAA'
    this.#bytes = host.bytes.length
    this.#count = 1n << BigInt(this.#bytes * 8 - prefix)
    const value = numberOf(host.bytes)
    this.#base = value - (value % this.#count)
    this.#size = size
  }

  /** @param name in lower case */
  addressOf(name: string): string {
    const known = this.#addresses.get(name)
    if (known !== undefined) {
      this.#used(name, known)
      return known
    }
    if (this.#addresses.size >= this.#size) this.#forgetOldest()
    let address = this.#take()
    while (this.#names.has(address)) address = this.#take()
    this.#names.set(address, name)
    this.#addresses.set(name, address)
    return address
  }

  /** The name of an address of this pool, which counts as used. */
  nameOf(address: string): string | undefined {
    const name = this.#names.get(address)
    if (name !== undefined) this.#used(name, address)
    return name
  }

  /** Whether it lies in the network, known or not. */
  holds(address: string): boolean {
    const host = parseHost(address)
    if (host.kind === 'domain' || host.bytes.length !== this.#bytes) return false
    const value = numberOf(host.bytes)
    return value >= this.#base && value < this.#base + this.#count
  }

  #used(name: string, address: string): void {
    this.#addresses.delete(name)
    this.#addresses.set(name, address)
  }

  #forgetOldest(): void {
    const [name, address] = this.#addresses.entries().next().value!
    this.#addresses.delete(name)
    this.#names.delete(address)
  }

  #take(): string {
    const value = this.#base + this.#next
    this.#next = (this.#next + 1n) % this.#count
    const bytes = new Uint8Array(this.#bytes)
    for (let i = this.#bytes - 1, left = value; i >= 0; i--, left >>= 8n) bytes[i] = Number(left & 0xffn)
    return formatHost(hostFromIP(bytes))
  }
}

import { isIP } from 'node:net'
import type { Address } from '../core/address.ts'

/** Entries after which everything is forgotten: a flood of sources must not grow, and the busy ones are back at once. */
const entriesMax = 1024

const mapped = '::ffff:'

/** How a socket of one family writes addresses, each made once: most datagrams go where the one before went. */
export class Endpoints {
  readonly #family: 4 | 6
  readonly #addresses = new Map<string, Map<number, Address>>()
  readonly #texts = new Map<string, string>()
  #count = 0
  #last: Address = { host: '', port: 0 }
  #lastHost = ''

  constructor(family: 4 | 6) {
    this.#family = family
  }

  /** The source of a datagram as the system prints it; a mapped IPv4 address becomes IPv4. */
  get(host: string, port: number): Address {
    if (this.#last.port !== port || this.#lastHost !== host) {
      this.#last = this.#known(host, port)
      this.#lastHost = host
    }
    return this.#last
  }

  /** What the socket is to be told to reach a host; `''` where it cannot, as for a name. */
  text(host: string): string {
    let text = this.#texts.get(host)
    if (text === undefined) {
      const family = isIP(host)
      text = family === this.#family ? host : family === 4 ? mapped + host : ''
      if (this.#texts.size >= entriesMax) this.#texts.clear()
      this.#texts.set(host, text)
    }
    return text
  }

  #known(host: string, port: number): Address {
    const known = this.#addresses.get(host)?.get(port)
    if (known) return known
    if (this.#count === entriesMax) {
      this.#addresses.clear()
      this.#count = 0
    }
    this.#count++
    const ports = this.#addresses.get(host) ?? new Map<number, Address>()
    this.#addresses.set(host, ports)
    const address = { host: host.startsWith(mapped) && host.includes('.') ? host.slice(mapped.length) : host, port }
    ports.set(port, address)
    return address
  }
}

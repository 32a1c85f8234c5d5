import { createSocket, type Socket } from 'node:dgram'
import type { Address } from '../../core/address.ts'
import { limits } from '../../core/limits.ts'
import { Endpoints } from '../endpoints.ts'

/** What fits into an IPv4 datagram; into one of IPv6 it would be 20 bytes more. */
export const largestUdp = 65_507

/** Node asks for a look-up before it binds and before every send; what comes here is an address already. */
const asIs = (host: string, _options: unknown, found: (error: null, address: string, family: number) => void): void =>
  found(null, host, 0)

/** One UDP socket. It binds at once; an error while it sends or receives ends nothing. */
export class UdpSocket {
  /** Settles when it is bound, with where; rejects with the system's error. */
  readonly ready: Promise<Address>
  /** Datagrams that were to be sent and were dropped. */
  dropped = 0
  readonly #socket: Socket
  readonly #endpoints: Endpoints
  /** The kernel has not taken everything. */
  #queued = false
  /** Who waits until it has. */
  #waiting: (() => void)[] = []
  #bound = false
  #closed = false

  /**
   * @param at IPv6: speaks IPv4, too, if bound to `::`
   * @param receive gets every datagram, lent until it returns
   * @param ipv6Only `::` speaks no IPv4
   */
  constructor(at: Address, receive: (lent: Uint8Array, from: Address) => void, ipv6Only = false) {
    const family = at.host.includes(':') ? 6 : 4
    this.#endpoints = new Endpoints(family)
    this.#socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only, lookup: asIs })
    this.#socket.on('message', (bytes, { address, port }) => receive(bytes, this.#endpoints.get(address, port)))
    this.ready = new Promise((resolve, reject) => {
      this.#socket.once('listening', () => {
        this.#bound = true
        this.#enlarge()
        const { address, port } = this.#socket.address()
        resolve({ host: address, port })
      })
      this.#socket.on('error', (error) => {
        // Once it is bound an error is news from the network about one datagram, such as an ICMP message.
        if (this.#bound) return
        this.close()
        reject(error)
      })
    })
    this.#socket.bind({ address: at.host, port: at.port, exclusive: true })
  }

  /** The bytes are used up on return; false: dropped, and counted. */
  send(bytes: Uint8Array, to: Address): boolean {
    const host = this.#mayTake(bytes.length) && to.port > 0 ? this.#endpoints.text(to.host) : ''
    if (host === '') {
      this.dropped++
      return false
    }
    const letter = this.#queued ? undefined : letters.write(bytes)
    this.#socket.send(letter ?? bytes.slice(), to.port, host, this.#sent)
    if (this.#socket.getSendQueueCount() === 0) return true
    // It is read from there when the kernel has room again.
    if (letter) letters = new Letters()
    this.#queued = true
    return true
  }

  #mayTake(length: number): boolean {
    if (this.#closed || length > largestUdp) return false
    return !this.#queued || this.#socket.getSendQueueSize() + length <= limits.udpUnsent
  }

  /** A datagram that send() had taken is with the kernel, or failed. */
  readonly #sent = (error: Error | null): void => {
    if (error) this.dropped++
    if (!this.#queued || this.#closed || this.#socket.getSendQueueCount() > 0) return
    this.#queued = false
    for (const run of this.#waiting.splice(0)) run()
  }

  /** Settles when everything sent so far is with the kernel. */
  flushed(): void | Promise<void> {
    if (this.#queued && !this.#closed) return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Idempotent, never throws. What the kernel has not taken is lost. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    for (const run of this.#waiting.splice(0)) run()
  }

  #enlarge(): void {
    try {
      this.#socket.setRecvBufferSize(limits.udpSocketBuffer)
      this.#socket.setSendBufferSize(limits.udpSocketBuffer)
    } catch {
      // Some systems refuse what is above their bound instead of giving less; the socket works all the same.
    }
  }
}

/** Views of one buffer that are made once for each length: a view costs as much as the copy of a small datagram. */
class Letters {
  readonly #bytes = new Uint8Array(letterMost)
  readonly #views: Uint8Array[] = []

  /** A copy that is good until the next one; undefined where it has no room. Nearly always the kernel takes it at once. */
  write(bytes: Uint8Array): Uint8Array | undefined {
    const { length } = bytes
    if (length > letterMost) return undefined
    this.#views[length] ??= this.#bytes.subarray(0, length)
    const view = this.#views[length]
    view.set(bytes)
    return view
  }
}

const letterMost = 2_048
let letters = new Letters()

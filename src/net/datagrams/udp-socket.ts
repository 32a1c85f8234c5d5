import { createSocket, type Socket } from 'node:dgram'
import type { Address } from '../../core/address.ts'
import { limits } from '../../core/limits.ts'
import { type Pooled, takeBuffer } from '../../core/streams/pool.ts'
import { Endpoints } from '../endpoints.ts'

/** What fits into an IPv4 datagram; into one of IPv6 it would be 20 bytes more. */
export const largestUdp = 65_507

/** Node asks for a look-up before it binds and before every send; what comes here is an address already. */
const asIs = (host: string, ...rest: unknown[]): void => {
  const found = rest.at(-1) as (error: null, address: string, family: number) => void
  found(null, host, 0)
}

/** One UDP socket. It binds at once; an error while it sends or receives ends nothing. */
export class UdpSocket {
  /** Settles when it is bound, with where; rejects with the system's error. */
  readonly ready: Promise<Address>
  /** Datagrams that were to be sent and were dropped. */
  dropped = 0
  readonly #socket: Socket
  readonly #endpoints: Endpoints
  /** Bytes that Node or the kernel has not taken, and who waits until there are none. */
  #unsent = 0
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
    this.#unsent += bytes.length
    const parcel = free.pop() ?? new Parcel()
    this.#socket.send(parcel.fill(bytes, this), 0, bytes.length, to.port, host, parcel.done)
    return true
  }

  #mayTake(length: number): boolean {
    return !this.#closed && length <= largestUdp && this.#unsent + length <= limits.udpUnsent
  }

  /** A datagram that send() had taken is with the kernel, or failed. */
  sent(length: number, error: Error | null): void {
    if (error) this.dropped++
    this.#unsent -= length
    if (this.#unsent === 0) for (const run of this.#waiting.splice(0)) run()
  }

  /** Settles when everything sent so far is with the kernel. */
  flushed(): void | Promise<void> {
    if (this.#unsent > 0 && !this.#closed) return new Promise((resolve) => this.#waiting.push(resolve))
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

/** A datagram between send() and the system call, which Node makes a little later. Used again and again. */
class Parcel {
  #pooled: Pooled | undefined
  #owner: UdpSocket | undefined
  #length = 0

  fill(bytes: Uint8Array, owner: UdpSocket): Uint8Array {
    this.#pooled = takeBuffer(bytes.length)
    this.#pooled.bytes.set(bytes)
    this.#owner = owner
    this.#length = bytes.length
    return this.#pooled.bytes
  }

  readonly done = (error: Error | null): void => {
    this.#pooled?.release()
    this.#owner?.sent(this.#length, error)
    this.#pooled = this.#owner = undefined
    if (free.length < parcelsKept) free.push(this)
  }
}

const parcelsKept = 4096
const free: Parcel[] = []

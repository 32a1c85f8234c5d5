import { createSocket, type Socket } from 'node:dgram'
import { type Address, formatAddress } from '../core/address.ts'
import type { Cancel } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import { Life } from '../core/lifetime.ts'
import type { PacketConn, PacketDialer, PacketInfo } from '../core/packet.ts'

/** The largest payload of a UDP datagram over IPv4, bytes. */
const largest = 65_507

/** Opens UDP sockets on a port that the system chooses, of the family of the first address; IPv4 without one. */
export const udpDialer: PacketDialer = {
  async open({ until, first }) {
    if (until.gone) throw until.gone
    return new UdpConn(createSocket(first?.host.includes(':') ? 'udp6' : 'udp4'))
  },
}

class UdpConn implements PacketConn {
  readonly #socket: Socket
  readonly #life = new Life()
  #sink: ((lent: Uint8Array, from: Address) => void) | undefined
  #dropped = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, { address, port }) => {
      try {
        this.#sink?.(bytes, { host: address, port })
      } catch (error) {
        this.destroy(error as Error)
      }
    })
    socket.on('error', (error) => this.destroy(new ProxyError('CONN_CLOSED', error.message, { cause: error })))
    socket.bind()
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  get dropped(): number {
    return this.#dropped
  }

  get info(): PacketInfo {
    const { address, port } = this.gone ? { address: '', port: 0 } : this.#socket.address()
    return {
      local: address === '' ? '' : formatAddress({ host: address, port }),
      largest,
      encoding: 'udp',
      layers: ['udp'],
    }
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  drainTo(sink: (lent: Uint8Array, from: Address) => void): Promise<void> {
    this.#sink = sink
    return new Promise((_resolve, reject) => void this.#life.onGone(reject))
  }

  send(bytes: Uint8Array, { host, port }: Address): boolean {
    if (this.gone || bytes.length > largest) {
      this.#dropped++
      return false
    }
    this.#socket.send(bytes.slice(), port, host, (error) => {
      if (error) this.#dropped++
    })
    return true
  }

  destroy(why?: Error): void {
    if (this.gone) return
    this.#life.end(why ?? new ProxyError('CONN_CLOSED', 'the socket was closed'))
    this.#sink = undefined
    this.#socket.close()
  }
}

import type { Address } from '../address.ts'
import { ProxyError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { PacketConn, PacketInfo } from './packet.ts'
import { HoldingEnd } from './packet-end.ts'
import { WaitingPackets } from './waiting-packets.ts'

/** A client's datagrams of which only the first one says where they go: it reads from the beginning, and keeps what comes. */
export class BegunPackets extends HoldingEnd {
  /** Where the first datagram goes; rejects where none comes. */
  readonly first: Promise<Address>
  readonly #base: PacketConn

  constructor(base: PacketConn) {
    super(new WaitingPackets(limits.packetsWaiting, limits.udpHeld))
    this.#base = base
    base.onGone((why) => {
      this.forget()
      this.reader.fail(why)
    })
    this.first = new Promise((resolve, reject) => {
      base
        .drainTo((lent, to) => {
          resolve(to)
          this.take(lent, to)
        })
        .then(
          () => {
            reject(new ProxyError('CONN_CLOSED', 'the client ended without a datagram'))
            this.reader.end()
          },
          (error: Error) => {
            reject(error)
            this.destroy(error)
          },
        )
    })
  }

  get info(): PacketInfo {
    return this.#base.info
  }

  get dropped(): number {
    return this.#base.dropped
  }

  send(bytes: Uint8Array, from: Address): boolean {
    return this.#base.send(bytes, from)
  }

  closeWrite(): void | Promise<void> {
    return this.#base.closeWrite()
  }

  destroy(why?: Error): void {
    this.#base.destroy(why)
  }
}

import type { Address } from '../address.ts'
import type { Clock } from '../env.ts'
import type { PacketConn, PacketSink } from './packet.ts'
import { PacketLayer } from './packet-layer.ts'
import { PacketReader } from './packet-reader.ts'
import { WaitingPackets } from './waiting-packets.ts'

/**
 * Looks at the first datagrams until `enough` says so, or `ms` are over, or it has ended. Nothing is lost but what is beyond
 * `limits.packetsWaiting`: whoever drains the result meets them first.
 */
export function peekPackets(
  conn: PacketConn,
  enough: (lent: Uint8Array, address: Address) => boolean,
  ms: number,
  clock: Clock,
): Promise<PacketConn> {
  const peeked = new PeekedPackets(conn)
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      resolve(peeked)
    }
    const cancel = clock.after(ms, done)
    peeked.start((lent, address) => {
      if (enough(lent, address)) done()
    }, done)
  })
}

class PeekedPackets extends PacketLayer {
  readonly #reader = new PacketReader()
  readonly #waiting = new WaitingPackets<Address>()
  #look: PacketSink | undefined

  start(look: PacketSink, over: () => void): void {
    this.#look = look
    const ended = (): void => {
      this.#reader.end()
      over()
    }
    const failed = (error: Error): void => {
      this.#reader.fail(error)
      over()
    }
    this.base.drainTo((lent, address) => this.#came(lent, address)).then(ended, failed)
  }

  override async drainTo(sink: PacketSink): Promise<void> {
    this.#look = undefined
    this.#waiting.release(sink)
    return this.#reader.drainTo(sink)
  }

  #came(lent: Uint8Array, address: Address): void {
    if (this.#reader.deliver(lent, address)) return
    this.droppedHere += this.#waiting.add(lent, address)
    this.#look?.(lent, address)
  }
}

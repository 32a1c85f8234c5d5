import type { Address } from '../address.ts'
import type { Cancel } from '../env.ts'
import type { PacketConn, PacketInfo, PacketSink } from './packet.ts'
import { PacketReader } from './packet-reader.ts'
import type { WaitingPackets } from './waiting-packets.ts'

/** A PacketConn whose receiving half, and with it its life, is a PacketReader. */
export abstract class PacketEnd implements PacketConn {
  protected readonly reader = new PacketReader()

  abstract readonly info: PacketInfo
  abstract readonly dropped: number
  abstract send(bytes: Uint8Array, to: Address): boolean
  abstract closeWrite(): void | Promise<void>
  abstract destroy(why?: Error): void

  get gone(): Error | undefined {
    return this.reader.life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.reader.life.onGone(run)
  }

  drainTo(sink: PacketSink): Promise<void> {
    return this.reader.drainTo(sink)
  }
}

/** One that keeps what has come before somebody reads. */
export abstract class HoldingEnd extends PacketEnd {
  missed = 0
  readonly #held: WaitingPackets<Address>

  constructor(held: WaitingPackets<Address>) {
    super()
    this.#held = held
  }

  /** A datagram has come; lent. */
  protected take(lent: Uint8Array, from: Address): void {
    if (this.reader.deliver(lent, from)) return
    if (this.gone) this.missed++
    else this.missed += this.#held.add(lent, from)
  }

  override drainTo(sink: PacketSink): Promise<void> {
    const drained = super.drainTo(sink)
    if (this.reader.reading) this.#held.release((bytes, from) => this.reader.deliver(bytes, from))
    return drained
  }

  /** Nobody will read what was kept. */
  protected forget(): void {
    this.missed += this.#held.drop()
  }
}

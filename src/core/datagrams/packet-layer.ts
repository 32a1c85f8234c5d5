import type { Address } from '../address.ts'
import type { Cancel } from '../env.ts'
import type { PacketConn, PacketInfo, PacketSink } from './packet.ts'

/** A PacketConn over another one, which passes everything on. Layers change what they are about. */
export class PacketLayer implements PacketConn {
  protected readonly base: PacketConn
  /** What the layer itself has dropped. */
  protected droppedHere = 0

  constructor(base: PacketConn) {
    this.base = base
  }

  get info(): PacketInfo {
    return this.base.info
  }

  get gone(): Error | undefined {
    return this.base.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.base.onGone(run)
  }

  get dropped(): number {
    return this.base.dropped + this.droppedHere
  }

  get missed(): number {
    return this.base.missed ?? 0
  }

  drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo(sink)
  }

  send(bytes: Uint8Array, to: Address): boolean {
    return this.base.send(bytes, to)
  }

  closeWrite(): void | Promise<void> {
    return this.base.closeWrite()
  }

  destroy(why?: Error): void {
    this.base.destroy(why)
  }

  /** Counts one datagram as dropped, and says so. */
  protected drop(): false {
    this.droppedHere++
    return false
  }
}

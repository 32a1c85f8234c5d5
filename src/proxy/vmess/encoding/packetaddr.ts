import type { Address } from '../../../core/address.ts'
import type { PacketInfo, PacketSink } from '../../../core/datagrams/packet.ts'
import { PacketLayer } from '../../../core/datagrams/packet-layer.ts'
import { takeBuffer } from '../../../core/streams/pool.ts'
import { readUnit, sequencedTarget, type Unit, unitOverhead, writeUnit } from '../../../protocol/packetaddr/unit.ts'

/** packetaddr within a way to `sequencedTarget`: every datagram says where it goes to. Names cannot be said, and are dropped. */
export class PacketaddrPackets extends PacketLayer {
  override get info(): PacketInfo {
    const { info } = this.base
    return { ...info, encoding: 'packetaddr', largest: info.largest - unitOverhead }
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    if (bytes.length === 0) return this.drop()
    const pooled = takeBuffer(bytes.length + unitOverhead)
    try {
      const end = writeUnit(bytes, to, pooled.bytes, 0)
      return this.base.send(pooled.bytes.subarray(0, end), sequencedTarget)
    } catch {
      return this.drop()
    } finally {
      pooled.release()
    }
  }

  override drainTo(sink: PacketSink): Promise<void> {
    return this.base.drainTo((lent) => {
      const unit = unitOf(lent)
      if (unit) sink(unit.payload, unit.address)
    })
  }
}

/** Undefined for what makes no sense; it concerns this datagram alone. */
function unitOf(lent: Uint8Array): Unit | undefined {
  try {
    return readUnit(lent)
  } catch {
    return undefined
  }
}

import type { Address } from '../../../core/address.ts'
import { type Conn, rootInfo } from '../../../core/conn.ts'
import type { PacketInfo, PacketSink } from '../../../core/datagrams/packet.ts'
import { PacketEnd } from '../../../core/datagrams/packet-end.ts'
import { ProxyError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { nextTurn } from '../../../core/time/turn.ts'
import { unitOverhead } from '../../../protocol/packetaddr/unit.ts'
import { streamedOverhead, UnitDecoder, writeStreamed } from '../../../protocol/packetaddr/unit-stream.ts'
import { FrameBatch } from '../../mux/frame-batch.ts'

/**
 * packetaddr on a stream, each unit behind its length: what V2Ray 5 asks for under `packetEncoding: "Stream"` of its SOCKS inbound.
 * Where the stream has asked to wait datagrams are dropped.
 */
export class StreamedUnits extends PacketEnd {
  readonly info: PacketInfo
  dropped = 0
  readonly #base: Conn
  readonly #decoder = new UnitDecoder((payload, address) => {
    this.#inTurn--
    this.reader.deliver(payload, address)
  })
  readonly #batch = new FrameBatch((units, release) => this.#write(units, release))
  /** How many more it takes in this turn of the event loop. */
  #inTurn: number = limits.unitsPerTurn
  #full = false
  #pumping = false
  #closing: Promise<void> | undefined

  constructor(base: Conn) {
    super()
    this.#base = base
    const { remote, local, layers, level } = base.info
    this.info = {
      remote,
      local,
      // V2Ray has no more room for a unit.
      largest: limits.muxDatagramMax - unitOverhead,
      encoding: 'packetaddr',
      layers,
      ...(level !== undefined && { level }),
      carrier: rootInfo(base.info),
    }
    base.holdAtMost(limits.packetsUnsent)
    base.readAtMost?.(limits.packetsRead)
    base.onGone((why) => this.reader.fail(why))
  }

  override drainTo(sink: PacketSink): Promise<void> {
    const drained = super.drainTo(sink)
    if (!this.#pumping && this.reader.reading) {
      this.#pumping = true
      this.#pump().catch((error: Error) => this.destroy(error))
    }
    return drained
  }

  send(bytes: Uint8Array, to: Address): boolean {
    const sent = bytes.length > 0 && bytes.length <= this.info.largest && this.#carry(bytes, to)
    if (!sent) this.dropped++
    return sent
  }

  closeWrite(): Promise<void> {
    this.#closing ??= this.gone ? Promise.resolve() : this.#finish()
    return this.#closing
  }

  destroy(why?: Error): void {
    if (this.gone) return
    const reason = why ?? new ProxyError('CONN_CLOSED', 'the datagrams of a stream were ended')
    this.reader.fail(reason)
    this.#base.destroy(reason)
  }

  #carry(bytes: Uint8Array, to: Address): boolean {
    if (this.#full || this.#closing || this.gone) return false
    try {
      this.#batch.add(bytes.length + streamedOverhead, (into, at) => writeStreamed(bytes, to, into, at))
      return true
    } catch {
      return false // a name, which a unit cannot say
    }
  }

  #write(units: Uint8Array, release: () => void): void {
    const wait = this.gone ? release() : this.#base.write(units, release)
    if (!wait) return
    this.#full = true
    // A broken stream shows where it is read.
    wait.then(
      () => {
        this.#full = false
      },
      () => {},
    )
  }

  async #finish(): Promise<void> {
    this.#batch.flush()
    await this.#base.closeWrite()
  }

  async #pump(): Promise<void> {
    await this.#base.drainTo((batch) => {
      this.#decoder.push(batch)
      if (this.#inTurn > 0) return
      this.#inTurn = limits.unitsPerTurn
      return nextTurn()
    })
    this.#decoder.end()
    this.reader.end()
  }
}

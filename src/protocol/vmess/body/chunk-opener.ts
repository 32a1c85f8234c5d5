/**
 * The receiving side of a chunked body: `size field | data | padding`, again and again. It alternates between two kinds of unit:
 *
 *     field   complete: draw the padding's length, decode (this draws the mask), learn how long the chunk is
 *     chunk   complete: open the data, skip the padding
 *
 * and ends with the field that announces an empty chunk, as V2Ray does, whose servers may close before that chunk is out.
 */
import type { ProxyError } from '../../../core/errors.ts'
import { CutOff } from '../../wire/cut-off.ts'
import type { BodyOpener } from './body-model.ts'
import type { ChunkParts } from './chunk.ts'
import type { ChunkData } from './chunk-data.ts'
import { chunkNotAuthentic, insideChunk, lengthNotAuthentic, sizeImpossible } from './chunk-failures.ts'
import type { PaddingSource } from './padding.ts'
import type { SizeCodec } from './size.ts'

export class ChunkOpener implements BodyOpener {
  readonly #size: SizeCodec
  readonly #data: ChunkData
  readonly #padding: PaddingSource
  readonly #packet: ((datagram: Uint8Array) => void) | undefined
  readonly #cutOff = new CutOff()
  /** Length of the unit that comes next: the field, or the chunk when #inChunk. */
  #unit: number
  #inChunk = false
  /** Padding at the end of the chunk. */
  #paddingLength = 0
  #ended = false
  #failure: ProxyError | undefined

  /** @param packet called once per chunk with its payload, where a chunk is a datagram */
  constructor(parts: ChunkParts, packet: ((datagram: Uint8Array) => void) | undefined) {
    this.#size = parts.size
    this.#data = parts.data
    this.#padding = parts.padding
    this.#packet = packet
    this.#unit = parts.size.length
  }

  get ended(): boolean {
    return this.#ended
  }

  room(batch: number): number {
    return this.#cutOff.length + batch
  }

  /** `batch` may lie in `into` at room(0) or behind, where the data part allows it: what is written never overtakes what is read. */
  open(batch: Uint8Array, into: Uint8Array): number {
    if (this.#failure !== undefined) throw this.#failure
    let at = 0
    let out = 0
    if (this.#cutOff.length > 0) {
      const missing = this.#unit - this.#cutOff.length
      if (missing > batch.length) {
        this.#cutOff.add(batch, 0)
        return 0
      }
      out = this.#take(this.#cutOff.join(batch, missing), 0, into, out)
      at = missing
    }
    while (!this.#ended && batch.length - at >= this.#unit) {
      const unit = this.#unit
      out = this.#take(batch, at, into, out)
      at += unit
    }
    if (!this.#ended && at < batch.length) this.#cutOff.add(batch, at)
    return out
  }

  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) return
    if (this.#inChunk || this.#cutOff.length > 0) throw this.#fail(insideChunk())
  }

  /** Uses up the unit at `at`, which is complete; returns where the next payload goes in `into`. */
  #take(bytes: Uint8Array, at: number, into: Uint8Array, out: number): number {
    if (this.#inChunk) return this.#takeChunk(bytes.subarray(at, at + this.#unit - this.#paddingLength), into, out)
    this.#takeField(bytes, at)
    return out
  }

  #takeField(bytes: Uint8Array, at: number): void {
    const padding = this.#padding.next()
    const size = this.#size.decode(bytes, at)
    if (size < 0) throw this.#fail(lengthNotAuthentic())
    const payload = size - padding - this.#data.overhead
    if (payload < 0) throw this.#fail(sizeImpossible(size))
    this.#ended = payload === 0
    this.#inChunk = true
    this.#unit = size
    this.#paddingLength = padding
  }

  #takeChunk(data: Uint8Array, into: Uint8Array, out: number): number {
    const length = this.#data.open(data, into, out)
    if (length < 0) throw this.#fail(chunkNotAuthentic())
    this.#inChunk = false
    this.#unit = this.#size.length
    if (this.#packet !== undefined) this.#packet(into.subarray(out, out + length))
    return out + length
  }

  #fail(error: ProxyError): ProxyError {
    this.#cutOff.clear()
    this.#failure = error
    return error
  }
}

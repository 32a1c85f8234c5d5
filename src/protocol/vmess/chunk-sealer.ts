/** The sending side of a chunked body: cuts what is written into chunks and writes them. */
import type { Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { BodySealer } from './body-model.ts'
import type { ChunkParts } from './chunk.ts'
import type { ChunkData } from './chunk-data.ts'
import type { PaddingSource } from './padding.ts'
import type { SizeCodec } from './size.ts'

const nothing = new Uint8Array(0)

/** A size field counts to here. */
const sizeMax = 65_535

export class ChunkSealer implements BodySealer {
  readonly framed: boolean
  readonly #size: SizeCodec
  readonly #data: ChunkData
  readonly #padding: PaddingSource
  readonly #random: Random
  readonly #datagrams: boolean
  readonly #payloadMax: number
  #finished = false

  /** @param framed whether finish() shall write a terminator */
  constructor(parts: ChunkParts, transfer: 'stream' | 'packet', random: Random, framed: boolean) {
    this.framed = framed
    this.#size = parts.size
    this.#data = parts.data
    this.#padding = parts.padding
    this.#random = random
    this.#datagrams = transfer === 'packet'
    const { overhead } = parts.data
    this.#payloadMax = this.#datagrams ? sizeMax - overhead - parts.padding.max : limits.chunkSealedMax - overhead
  }

  maxSealed(plain: number): number {
    // One more chunk than the payload needs: the terminator.
    const chunks = Math.ceil(plain / this.#payloadMax) + 1
    return plain + chunks * (this.#size.length + this.#data.overhead + this.#padding.max)
  }

  seal(plain: Uint8Array, into: Uint8Array, at: number): number {
    if (this.#finished) throw new ProxyError('PROTOCOL_MISUSE', 'nothing can follow the terminator of a body')
    const max = this.#payloadMax
    if (plain.length > max) return this.#sealMany(plain, into, at)
    // An empty chunk would end the body, so there is no such thing as an empty write or datagram.
    return plain.length === 0 ? at : this.#chunk(plain, into, at)
  }

  finish(into: Uint8Array, at: number): number {
    if (!this.framed || this.#finished) return at
    this.#finished = true
    return this.#chunk(nothing, into, at)
  }

  #sealMany(plain: Uint8Array, into: Uint8Array, at: number): number {
    const max = this.#payloadMax
    if (this.#datagrams) {
      throw new ProxyError('DATAGRAM_TOO_LARGE', `a datagram of ${plain.length} bytes; at most ${max} can be carried`)
    }
    for (let from = 0; from < plain.length; from += max) at = this.#chunk(plain.subarray(from, from + max), into, at)
    return at
  }

  #chunk(payload: Uint8Array, into: Uint8Array, at: number): number {
    const padding = this.#padding.next()
    const length = payload.length + this.#data.overhead
    this.#size.encode(length + padding, into, at)
    at += this.#size.length
    this.#data.seal(payload, into, at)
    at += length
    if (padding > 0) this.#random.fill(into.subarray(at, at + padding))
    return at + padding
  }
}

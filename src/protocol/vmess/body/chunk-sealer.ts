/** The sending side of a chunked body: cuts what is written into chunks and writes them. */
import type { Random } from '../../../core/env.ts'
import type { BodySealer } from './body-model.ts'
import type { ChunkParts } from './chunk.ts'
import type { ChunkData } from './chunk-data.ts'
import { ChunkRoom, terminated } from './chunk-room.ts'
import type { PaddingSource } from './padding.ts'
import type { SizeCodec } from './size.ts'

const nothing = new Uint8Array(0)

export class ChunkSealer implements BodySealer {
  readonly framed: boolean
  readonly #size: SizeCodec
  readonly #data: ChunkData
  readonly #padding: PaddingSource
  readonly #random: Random
  readonly #room: ChunkRoom
  #finished = false

  /** @param framed whether finish() shall write a terminator */
  constructor(parts: ChunkParts, transfer: 'stream' | 'packet', random: Random, framed: boolean) {
    this.framed = framed
    this.#size = parts.size
    this.#data = parts.data
    this.#padding = parts.padding
    this.#random = random
    this.#room = new ChunkRoom(parts.size.length, parts.data.overhead, parts.padding.max, transfer)
  }

  maxSealed(plain: number): number {
    return this.#room.maxSealed(plain)
  }

  seal(plain: Uint8Array, into: Uint8Array, at: number): number {
    if (this.#finished) throw terminated()
    if (plain.length > this.#room.payloadMax) return this.#sealMany(plain, into, at)
    // An empty chunk would end the body, so there is no such thing as an empty write or datagram.
    return plain.length === 0 ? at : this.#chunk(plain, into, at)
  }

  finish(into: Uint8Array, at: number): number {
    if (!this.framed || this.#finished) return at
    this.#finished = true
    return this.#chunk(nothing, into, at)
  }

  #sealMany(plain: Uint8Array, into: Uint8Array, at: number): number {
    this.#room.checkDatagram(plain.length)
    const max = this.#room.payloadMax
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

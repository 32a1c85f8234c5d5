/**
 * The data of a chunk: what becomes of the payload.
 *
 *     sealed    AEAD( payload )              overhead 16
 *     checked   FNV-1a( payload ) | payload  overhead 4; AES-128-CFB around the whole stream is not its concern
 *     bare      payload                      overhead 0
 */
import { type Aead, tagLength } from '../../../crypto/aead.ts'
import { fnv1a32 } from '../../../crypto/checksum.ts'
import type { NonceCounter } from './nonce.ts'

export interface ChunkData {
  /** Bytes by which the data is longer than the payload. */
  readonly overhead: number
  /** Writes the data of `payload` into `into` at `at`. */
  seal(payload: Uint8Array, into: Uint8Array, at: number): void
  /** Writes the payload of `data` into `into` at `at` and returns its length, or -1 when the data is not authentic. */
  open(data: Uint8Array, into: Uint8Array, at: number): number
}

export class SealedData implements ChunkData {
  readonly overhead = tagLength
  readonly #aead: Aead
  readonly #nonce: NonceCounter

  constructor(aead: Aead, nonce: NonceCounter) {
    this.#aead = aead
    this.#nonce = nonce
  }

  seal(payload: Uint8Array, into: Uint8Array, at: number): void {
    this.#aead.seal(this.#nonce.next(), payload, into, at)
  }

  open(data: Uint8Array, into: Uint8Array, at: number): number {
    return this.#aead.open(this.#nonce.next(), data, into, at)
  }
}

export const checkedData: ChunkData = {
  overhead: 4,
  seal(payload, into, at) {
    const sum = fnv1a32(payload)
    into[at] = sum >>> 24
    into[at + 1] = sum >>> 16
    into[at + 2] = sum >>> 8
    into[at + 3] = sum
    into.set(payload, at + 4)
  },
  open(data, into, at) {
    const sum = ((data[0]! << 24) | (data[1]! << 16) | (data[2]! << 8) | data[3]!) >>> 0
    if (fnv1a32(data, 4) !== sum) return -1
    into.set(data.subarray(4), at)
    return data.length - 4
  },
}

export const bareData: ChunkData = {
  overhead: 0,
  seal(payload, into, at) {
    into.set(payload, at)
  },
  open(data, into, at) {
    into.set(data, at)
    return data.length
  },
}

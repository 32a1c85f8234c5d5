/**
 * The size field in front of every chunk. The size counts data and padding, not the field.
 *
 *     plain           2 B  size
 *     masked          2 B  size xor the next number of the direction's SHAKE128
 *     authenticated  18 B  AEAD( size - 16 ), with a counter of its own
 */
import { type Aead, tagLength } from '../../../crypto/aead.ts'
import type { Shake128 } from '../../../crypto/shake128.ts'
import type { NonceCounter } from './nonce.ts'

export interface SizeCodec {
  /** Bytes of the field. */
  readonly length: number
  /** Writes the field for `size` (0 to 65535) into `into` at `at`. */
  encode(size: number, into: Uint8Array, at: number): void
  /** The size in the field that starts at `at`; -1 when the field does not authenticate. Once per field: it draws. */
  decode(bytes: Uint8Array, at: number): number
}

export const plainSize: SizeCodec = {
  length: 2,
  encode(size, into, at) {
    into[at] = size >>> 8
    into[at + 1] = size
  },
  decode: (bytes, at) => (bytes[at]! << 8) | bytes[at + 1]!,
}

export class MaskedSize implements SizeCodec {
  readonly length = 2
  readonly #shake: Shake128

  constructor(shake: Shake128) {
    this.#shake = shake
  }

  encode(size: number, into: Uint8Array, at: number): void {
    plainSize.encode(size ^ this.#shake.next(), into, at)
  }

  decode(bytes: Uint8Array, at: number): number {
    return plainSize.decode(bytes, at) ^ this.#shake.next()
  }
}

export class AuthenticatedSize implements SizeCodec {
  readonly length = 2 + tagLength
  readonly #aead: Aead
  readonly #nonce: NonceCounter
  readonly #plain = new Uint8Array(2)

  constructor(aead: Aead, nonce: NonceCounter) {
    this.#aead = aead
    this.#nonce = nonce
  }

  encode(size: number, into: Uint8Array, at: number): void {
    plainSize.encode(size - tagLength, this.#plain, 0)
    this.#aead.seal(this.#nonce.next(), this.#plain, into, at)
  }

  decode(bytes: Uint8Array, at: number): number {
    const opened = this.#aead.open(this.#nonce.next(), bytes.subarray(at, at + this.length), this.#plain, 0)
    // Peers calculate modulo 2^16, too.
    return opened < 0 ? -1 : (plainSize.decode(this.#plain, 0) + tagLength) & 0xffff
  }
}

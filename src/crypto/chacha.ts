import { chacha20poly1305 } from '@noble/ciphers/chacha.js'

const tagLength = 16

/**
 * ChaCha20-Poly1305 in TypeScript, for a runtime whose `node:crypto` lacks it, such as Bun. It takes some twenty times as long as
 * OpenSSL's. An `Aead` (aead.ts).
 */
export class PortableChaCha {
  readonly #key: Uint8Array

  /** @param key 32 bytes, which are copied */
  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key)
  }

  seal(nonce: Uint8Array, plain: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    into.set(chacha20poly1305(this.#key, nonce, aad).encrypt(plain), at)
    return plain.length + tagLength
  }

  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    const length = sealed.length - tagLength
    if (length < 0) return -1
    let plain: Uint8Array
    try {
      plain = chacha20poly1305(this.#key, nonce, aad).decrypt(sealed)
    } catch {
      return -1
    }
    into.set(plain, at)
    return length
  }
}

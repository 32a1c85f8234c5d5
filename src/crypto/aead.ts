import { createCipheriv, createDecipheriv, getCipherInfo, type KeyObject } from 'node:crypto'
import { openBrief, sealBrief } from './brief-gcm.ts'
import { PortableChaCha } from './chacha.ts'
import { secretKey } from './secret-key.ts'

export type AeadName = 'aes-128-gcm' | 'chacha20-poly1305'

/** Bytes of an authentication tag, for both algorithms. */
export const tagLength = 16

/** One key of an AEAD with 12-byte nonces and 16-byte tags. Keeps no state between calls: the caller counts nonces. */
export interface Aead {
  /** Writes ciphertext and tag into `into` at `at`, `plain.length + 16` bytes, and returns their number. */
  seal(nonce: Uint8Array, plain: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number
  /** Writes the plaintext of `sealed` (ciphertext and tag) into `into` at `at` and returns its length, or -1 when the tag is wrong:
   *  then `into` is untouched. */
  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number
}

const options = { authTagLength: tagLength }

/** @param key 16 bytes for aes-128-gcm, 32 for chacha20-poly1305 */
export function createAead(name: AeadName, key: Uint8Array): Aead {
  if (name === 'chacha20-poly1305' && !hasFastChaCha()) return new PortableChaCha(key)
  const own = new Uint8Array(key)
  if (name === 'chacha20-poly1305') return new NodeAead(name, own)
  return new BriefAtFirst(new NodeAead(name, own), own)
}

let known: boolean | undefined

/** Whether chacha20-poly1305 is the runtime's own here; without it, AES is much faster whatever the processor. */
export function hasFastChaCha(): boolean {
  known ??= getCipherInfo('chacha20-poly1305') !== undefined
  return known
}

/** Where Node begins to be cheaper; and for so many messages of a key the tables of brief-gcm.ts tell nobody anything. */
const brief = { mostBytes: 128, mostMessages: 8 } as const

/** AES-128-GCM whose first short messages need no cipher of Node: most connections carry no others. */
class BriefAtFirst implements Aead {
  readonly #node: Aead
  readonly #key: Uint8Array
  #left: number = brief.mostMessages

  constructor(node: Aead, key: Uint8Array) {
    this.#node = node
    this.#key = key
  }

  seal(nonce: Uint8Array, plain: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    if (this.#left === 0 || plain.length > brief.mostBytes) return this.#node.seal(nonce, plain, into, at, aad)
    this.#left--
    sealBrief(this.#key, nonce, plain, into, at, aad)
    return plain.length + tagLength
  }

  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    const length = sealed.length - tagLength
    if (this.#left === 0 || length > brief.mostBytes) return this.#node.open(nonce, sealed, into, at, aad)
    this.#left--
    return openBrief(this.#key, nonce, sealed, 0, sealed.length, into, at, aad) ? length : -1
  }
}

class NodeAead implements Aead {
  // The two names have separate signatures in the types of Node; both take the same options.
  readonly #name: 'aes-128-gcm'
  readonly #bytes: Uint8Array
  #secret: KeyObject | undefined

  /** @param key not changed any more */
  constructor(name: AeadName, key: Uint8Array) {
    this.#name = name as 'aes-128-gcm'
    this.#bytes = key
  }

  /** Made when it is first needed: behind BriefAtFirst most connections never need it. */
  get #key(): KeyObject {
    this.#secret ??= secretKey(this.#bytes)
    return this.#secret
  }

  seal(nonce: Uint8Array, plain: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    const cipher = createCipheriv(this.#name, this.#key, nonce, options)
    if (aad !== undefined) cipher.setAAD(aad)
    into.set(cipher.update(plain), at)
    cipher.final()
    into.set(cipher.getAuthTag(), at + plain.length)
    return plain.length + tagLength
  }

  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, at: number, aad?: Uint8Array): number {
    const length = sealed.length - tagLength
    if (length < 0) return -1
    const decipher = createDecipheriv(this.#name, this.#key, nonce, options)
    decipher.setAuthTag(sealed.subarray(length))
    if (aad !== undefined) decipher.setAAD(aad)
    const plain = decipher.update(sealed.subarray(0, length))
    try {
      decipher.final()
    } catch {
      return -1
    }
    into.set(plain, at)
    return length
  }
}

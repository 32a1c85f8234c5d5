import { createCipheriv, createDecipheriv } from 'node:crypto'
import { secretKey } from './secret-key.ts'

/** One direction of AES-128 in CFB mode with 128-bit feedback: the mode that Go calls CFB. Every byte passes exactly once. */
export interface CfbStream {
  /** Transforms all of `input` and writes as many bytes into `into` at `at`. The two may be the same memory only if they start at the same byte. */
  update(input: Uint8Array, into: Uint8Array, at: number): void
}

/** @param key 16 bytes @param iv 16 bytes */
export function createCfb(direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array): CfbStream {
  const secret = secretKey(key)
  const cipher =
    direction === 'encrypt' ? createCipheriv('aes-128-cfb', secret, iv) : createDecipheriv('aes-128-cfb', secret, iv)
  return {
    update(input, into, at) {
      into.set(cipher.update(input), at)
    },
  }
}

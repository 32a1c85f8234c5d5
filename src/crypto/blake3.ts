import { blake3 } from '@noble/hashes/blake3.js'

/** BLAKE3 with a key of 32 bytes, cut to `length` bytes. */
export const keyedBlake3 = (key: Uint8Array, message: Uint8Array, length: number): Uint8Array =>
  blake3(message, { key, dkLen: length })

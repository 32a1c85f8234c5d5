import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { secretKey } from './secret-key.ts'

const digest = (name: string, parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash(name)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** MD5 over the parts in order: 16 bytes. */
export const md5 = (...parts: readonly Uint8Array[]): Uint8Array => digest('md5', parts)

/** SHA-1 over the parts in order: 20 bytes. */
export const sha1 = (...parts: readonly Uint8Array[]): Uint8Array => digest('sha1', parts)

/** SHA-256 over the parts in order: 32 bytes. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => digest('sha256', parts)

/** HMAC-MD5: 16 bytes. */
export const hmacMd5 = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('md5', secretKey(key)).update(message).digest()

/** Whether two byte strings are equal, in a time that depends on their lengths only. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

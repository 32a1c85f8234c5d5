import type { AeadName } from '../../../crypto/aead.ts'
import { md5 } from '../../../crypto/hash.ts'
import { headerSeals } from '../header/header-seals.ts'

/** 32 bytes for chacha20-poly1305 from a 16-byte key: its MD5, then the MD5 of that. */
export function expandChachaKey(key: Uint8Array): Uint8Array {
  const expanded = new Uint8Array(32)
  const first = md5(key)
  expanded.set(first)
  expanded.set(md5(first), 16)
  return expanded
}

/** The key under which an AEAD runs, from the 16-byte key of a body. */
export const aeadKey = (name: AeadName, key: Uint8Array): Uint8Array =>
  name === 'chacha20-poly1305' ? expandChachaKey(key) : key

/** The key of authenticated lengths, from the request key; 16 bytes. Both directions use it. */
export function lengthKey(requestKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(16)
  headerSeals().lengthKey(requestKey, key)
  return key
}

import { createHmac } from 'node:crypto'
import { secretKey } from './secret-key.ts'

const hmacSha256 = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const hmac = createHmac('sha256', secretKey(key))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** HKDF-Extract with SHA-256 (RFC 5869): 32 bytes. */
export const hkdfExtract = (salt: Uint8Array, secret: Uint8Array): Uint8Array => hmacSha256(salt, secret)

/** HKDF-Expand-Label of TLS 1.3 with SHA-256 and an empty context (RFC 8446, 7.1). @param length 1 to 32 bytes */
export function hkdfExpandLabel(secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = new TextEncoder().encode(`tls13 ${label}`)
  const info = Uint8Array.of(length >> 8, length & 255, name.length, ...name, 0)
  return hmacSha256(secret, info, Uint8Array.of(1)).subarray(0, length)
}

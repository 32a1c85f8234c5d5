/**
 * The request header on the wire, around the fields of request.ts.
 *
 *     AEAD    AuthID 16 | sealed length 2+16 | nonce 8 | sealed fields n+16
 *     legacy  authentication 16 | fields, AES-128-CFB
 *
 * Pure functions: random bytes and times are parameters.
 */
import { type Aead, createAead } from '../../crypto/aead.ts'
import { createCfb } from '../../crypto/cfb.ts'
import { kdf12, kdf16 } from './kdf.ts'
import { legacyHeaderIv } from './legacy-auth.ts'

/** The AEAD form up to the sealed fields: AuthID, sealed length, nonce. */
export const aeadHeadLength = 42
const tagLength = 16
const nonceAt = 34

/** @param authId 16 bytes @param nonce 8 random bytes @returns 58 bytes more than `plain` */
export function sealRequest(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(aeadHeadLength + plain.length + tagLength)
  wire.set(authId)
  wire.set(nonce, nonceAt)
  const length = lengthCipher(key, authId, nonce)
  length.aead.seal(length.nonce, Uint8Array.of(plain.length >> 8, plain.length & 0xff), wire, 16, authId)
  const fields = fieldsCipher(key, authId, nonce)
  fields.aead.seal(fields.nonce, plain, wire, aeadHeadLength, authId)
  return wire
}

/** Length of the fields out of the first 42 bytes; undefined when they do not open. */
export function openRequestLength(key: Uint8Array, wire: Uint8Array): number | undefined {
  const authId = wire.subarray(0, 16)
  const { aead, nonce } = lengthCipher(key, authId, wire.subarray(nonceAt, aeadHeadLength))
  const plain = new Uint8Array(2)
  return aead.open(nonce, wire.subarray(16, nonceAt), plain, 0, authId) < 0 ? undefined : (plain[0]! << 8) | plain[1]!
}

/** Where the AEAD form ends when its fields have this length. */
export const sealedRequestLength = (fields: number): number => aeadHeadLength + fields + tagLength

/** The fields out of exactly the whole AEAD form; undefined when they do not open. */
export function openRequest(key: Uint8Array, wire: Uint8Array): Uint8Array | undefined {
  const authId = wire.subarray(0, 16)
  const { aead, nonce } = fieldsCipher(key, authId, wire.subarray(nonceAt, aeadHeadLength))
  const sealed = wire.subarray(aeadHeadLength)
  const plain = new Uint8Array(Math.max(0, sealed.length - tagLength))
  return aead.open(nonce, sealed, plain, 0, authId) < 0 ? undefined : plain
}

interface OneShot {
  readonly aead: Aead
  readonly nonce: Uint8Array
}

const lengthCipher = (key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): OneShot => ({
  aead: createAead('aes-128-gcm', kdf16(key, 'VMess Header AEAD Key_Length', authId, nonce)),
  nonce: kdf12(key, 'VMess Header AEAD Nonce_Length', authId, nonce),
})

const fieldsCipher = (key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): OneShot => ({
  aead: createAead('aes-128-gcm', kdf16(key, 'VMess Header AEAD Key', authId, nonce)),
  nonce: kdf12(key, 'VMess Header AEAD Nonce', authId, nonce),
})

/** @param key the command key of the primary id @param auth 16 bytes @param timeS the time in `auth` */
export function sealLegacyRequest(key: Uint8Array, auth: Uint8Array, timeS: number, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(16 + plain.length)
  wire.set(auth)
  createCfb('encrypt', key, legacyHeaderIv(timeS)).update(plain, wire, 16)
  return wire
}

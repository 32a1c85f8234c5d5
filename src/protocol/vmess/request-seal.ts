/**
 * The request header on the wire, around the fields of request.ts.
 *
 *     AEAD    AuthID 16 | sealed length 2+16 | nonce 8 | sealed fields n+16
 *     legacy  authentication 16 | fields, AES-128-CFB
 *
 * Pure functions: random bytes and times are parameters.
 */
import { openBrief, sealBrief } from '../../crypto/brief-gcm.ts'
import { createCfb } from '../../crypto/cfb.ts'
import { kdfInto } from './kdf.ts'
import { legacyHeaderIv } from './legacy-auth.ts'

/** The AEAD form up to the sealed fields: AuthID, sealed length, nonce. */
export const aeadHeadLength = 42
const tagLength = 16
const nonceAt = 34

/** Key, nonce and text of the part that is sealed or opened at the moment. */
const partKey = new Uint8Array(16)
const partNonce = new Uint8Array(12)
const lengthText = new Uint8Array(2)

/** @param authId 16 bytes @param nonce 8 random bytes @returns 58 bytes more than `plain` */
export function sealRequest(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(aeadHeadLength + plain.length + tagLength)
  wire.set(authId)
  wire.set(nonce, nonceAt)
  lengthText[0] = plain.length >> 8
  lengthText[1] = plain.length
  deriveForLength(key, authId, nonce)
  sealBrief(partKey, partNonce, lengthText, wire, 16, authId)
  deriveForFields(key, authId, nonce)
  sealBrief(partKey, partNonce, plain, wire, aeadHeadLength, authId)
  return wire
}

/** Length of the fields out of the first 42 bytes; undefined when they do not open. */
export function openRequestLength(key: Uint8Array, wire: Uint8Array): number | undefined {
  const authId = wire.subarray(0, 16)
  deriveForLength(key, authId, wire.subarray(nonceAt, aeadHeadLength))
  if (!openBrief(partKey, partNonce, wire, 16, nonceAt, lengthText, 0, authId)) return undefined
  return (lengthText[0]! << 8) | lengthText[1]!
}

/** Where the AEAD form ends when its fields have this length. */
export const sealedRequestLength = (fields: number): number => aeadHeadLength + fields + tagLength

/** The fields out of exactly the whole AEAD form; undefined when they do not open. */
export function openRequest(key: Uint8Array, wire: Uint8Array): Uint8Array | undefined {
  const authId = wire.subarray(0, 16)
  const plain = new Uint8Array(Math.max(0, wire.length - aeadHeadLength - tagLength))
  deriveForFields(key, authId, wire.subarray(nonceAt, aeadHeadLength))
  return openBrief(partKey, partNonce, wire, aeadHeadLength, wire.length, plain, 0, authId) ? plain : undefined
}

function deriveForLength(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): void {
  kdfInto(partKey, key, 'VMess Header AEAD Key_Length', authId, nonce)
  kdfInto(partNonce, key, 'VMess Header AEAD Nonce_Length', authId, nonce)
}

function deriveForFields(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): void {
  kdfInto(partKey, key, 'VMess Header AEAD Key', authId, nonce)
  kdfInto(partNonce, key, 'VMess Header AEAD Nonce', authId, nonce)
}

/** @param key the command key of the primary id @param auth 16 bytes @param timeS the time in `auth` */
export function sealLegacyRequest(key: Uint8Array, auth: Uint8Array, timeS: number, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(16 + plain.length)
  wire.set(auth)
  createCfb('encrypt', key, legacyHeaderIv(timeS)).update(plain, wire, 16)
  return wire
}

/**
 * The request header on the wire, around the fields of request.ts.
 *
 *     AEAD    AuthID 16 | sealed length 2+16 | nonce 8 | sealed fields n+16
 *     legacy  authentication 16 | fields, AES-128-CFB
 *
 * Pure functions: random bytes and times are parameters.
 */
import { createCfb } from '../../../crypto/cfb.ts'
import { headerSeals, requestHead } from './header-seals.ts'
import { legacyHeaderIv } from './legacy-auth.ts'

/** The AEAD form up to the sealed fields: AuthID, sealed length, nonce. */
export const aeadHeadLength = requestHead
const tagLength = 16

/** @param authId 16 bytes @param nonce 8 random bytes @returns 58 bytes more than `plain` */
export function sealRequest(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(sealedRequestLength(plain.length))
  headerSeals().sealRequest(key, authId, nonce, plain, wire)
  return wire
}

/** Length of the fields out of the first 42 bytes; undefined when they do not open. */
export function openRequestLength(key: Uint8Array, wire: Uint8Array): number | undefined {
  if (wire.length < aeadHeadLength) return undefined
  const length = headerSeals().openRequestLength(key, wire)
  return length < 0 ? undefined : length
}

/** Where the AEAD form ends when its fields have this length. */
export const sealedRequestLength = (fields: number): number => aeadHeadLength + fields + tagLength

/** The fields out of exactly the whole AEAD form; undefined when they do not open. */
export function openRequest(key: Uint8Array, wire: Uint8Array): Uint8Array | undefined {
  if (wire.length < sealedRequestLength(0)) return undefined
  const plain = new Uint8Array(wire.length - sealedRequestLength(0))
  return headerSeals().openRequest(key, wire, plain) ? plain : undefined
}

/** @param key the command key of the primary id @param auth 16 bytes @param timeS the time in `auth` */
export function sealLegacyRequest(key: Uint8Array, auth: Uint8Array, timeS: number, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(16 + plain.length)
  wire.set(auth)
  createCfb('encrypt', key, legacyHeaderIv(timeS)).update(plain, wire, 16)
  return wire
}

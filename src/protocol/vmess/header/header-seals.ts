/**
 * What seals and opens the parts of both headers, and derives keys: by the native twin where it is there, else by TypeScript. Each part
 * is AES-128-GCM under a key and a nonce that are derived for it alone.
 *
 *     request   AuthID 16 | length 2 + tag 16 | nonce 8 | fields + tag 16      both parts authenticate the AuthID, too
 *     answer    length 2 + tag 16 | fields + tag 16
 *
 * Nothing here keeps what it is given. Keys and IVs are 16 bytes.
 */
import { openBrief, sealBrief } from '../../../crypto/brief-gcm.ts'
import { twin } from '../../../crypto/twin.ts'
import { kdfInto } from './kdf.ts'

export interface HeaderSeals {
  /** The AES key of a user's AuthIDs. @param into 16 bytes */
  authIdKey(commandKey: Uint8Array, into: Uint8Array): void
  /** The key of authenticated lengths. @param into 16 bytes */
  lengthKey(requestKey: Uint8Array, into: Uint8Array): void
  /** Writes the whole of a request. @param into 58 bytes more than `plain` */
  sealRequest(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array, plain: Uint8Array, into: Uint8Array): void
  /** Length of the fields, or -1 where it is not authentic. @param wire the first 42 bytes */
  openRequestLength(key: Uint8Array, wire: Uint8Array): number
  /** Whether it is authentic. @param wire exactly the whole @param into 58 bytes less */
  openRequest(key: Uint8Array, wire: Uint8Array, into: Uint8Array): boolean
  /** Writes the whole of an answer. @param into 34 bytes more than `plain` */
  sealResponse(key: Uint8Array, iv: Uint8Array, plain: Uint8Array, into: Uint8Array): void
  /** Length of the fields, or -1 where it is not authentic. @param sealed 18 bytes */
  openResponseLength(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): number
  /** Whether it is authentic. @param sealed what follows the length @param into 16 bytes less */
  openResponse(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, into: Uint8Array): boolean
}

export const headerSeals = (): HeaderSeals => twin() ?? typescriptSeals

/** The request up to its fields: AuthID, sealed length, nonce. */
export const requestHead = 42
/** The answer up to its fields. */
export const responseHead = 18
const lengthAt = 16
const nonceAt = 34

/** Key, nonce and text of the part that is sealed or opened at the moment. */
const partKey = new Uint8Array(16)
const partNonce = new Uint8Array(12)
const lengthText = new Uint8Array(2)

export const typescriptSeals: HeaderSeals = {
  authIdKey: (commandKey, into) => kdfInto(into, commandKey, 'AES Auth ID Encryption'),

  lengthKey: (requestKey, into) => kdfInto(into, requestKey, 'auth_len'),

  sealRequest(key, authId, nonce, plain, into) {
    into.set(authId)
    into.set(nonce, nonceAt)
    setLength(plain.length)
    deriveRequestLength(key, authId, nonce)
    sealBrief(partKey, partNonce, lengthText, into, lengthAt, authId)
    deriveRequestFields(key, authId, nonce)
    sealBrief(partKey, partNonce, plain, into, requestHead, authId)
  },

  openRequestLength(key, wire) {
    const authId = wire.subarray(0, lengthAt)
    deriveRequestLength(key, authId, wire.subarray(nonceAt, requestHead))
    return openBrief(partKey, partNonce, wire, lengthAt, nonceAt, lengthText, 0, authId) ? getLength() : -1
  },

  openRequest(key, wire, into) {
    const authId = wire.subarray(0, lengthAt)
    deriveRequestFields(key, authId, wire.subarray(nonceAt, requestHead))
    return openBrief(partKey, partNonce, wire, requestHead, wire.length, into, 0, authId)
  },

  sealResponse(key, iv, plain, into) {
    setLength(plain.length)
    deriveResponseLength(key, iv)
    sealBrief(partKey, partNonce, lengthText, into, 0)
    deriveResponseFields(key, iv)
    sealBrief(partKey, partNonce, plain, into, responseHead)
  },

  openResponseLength(key, iv, sealed) {
    deriveResponseLength(key, iv)
    return openBrief(partKey, partNonce, sealed, 0, sealed.length, lengthText, 0) ? getLength() : -1
  },

  openResponse(key, iv, sealed, into) {
    deriveResponseFields(key, iv)
    return openBrief(partKey, partNonce, sealed, 0, sealed.length, into, 0)
  },
}

function setLength(length: number): void {
  lengthText[0] = length >> 8
  lengthText[1] = length
}

const getLength = (): number => (lengthText[0]! << 8) | lengthText[1]!

function deriveRequestLength(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): void {
  kdfInto(partKey, key, 'VMess Header AEAD Key_Length', authId, nonce)
  kdfInto(partNonce, key, 'VMess Header AEAD Nonce_Length', authId, nonce)
}

function deriveRequestFields(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array): void {
  kdfInto(partKey, key, 'VMess Header AEAD Key', authId, nonce)
  kdfInto(partNonce, key, 'VMess Header AEAD Nonce', authId, nonce)
}

function deriveResponseLength(key: Uint8Array, iv: Uint8Array): void {
  kdfInto(partKey, key, 'AEAD Resp Header Len Key')
  kdfInto(partNonce, iv, 'AEAD Resp Header Len IV')
}

function deriveResponseFields(key: Uint8Array, iv: Uint8Array): void {
  kdfInto(partKey, key, 'AEAD Resp Header Key')
  kdfInto(partNonce, iv, 'AEAD Resp Header IV')
}

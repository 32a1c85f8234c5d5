/**
 * The deprecated authentication: sixteen bytes HMAC-MD5(id, time as eight big-endian bytes), where the id may be one of the
 * alternative ids. It can only be recognised by having computed it beforehand, for every id and every second of the window
 * (users/legacy-table.ts).
 */

import { hmacMd5, md5 } from '../../../crypto/hash.ts'

function timeBytes(timeS: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(timeS))
  return bytes
}

/** The authentication of an id, primary or alternative, at a time in Unix seconds: 16 bytes. */
export const legacyAuth = (id: Uint8Array, timeS: number): Uint8Array => hmacMd5(id, timeBytes(timeS))

/** IV of the CFB stream that hides the header fields behind an authentication: 16 bytes. */
export function legacyHeaderIv(timeS: number): Uint8Array {
  const time = timeBytes(timeS)
  return md5(time, time, time, time)
}

/**
 * The deprecated authentication: sixteen bytes HMAC-MD5(id, time as eight big-endian bytes), where the id may be one of the
 * alternative ids. It can only be recognised by having computed it beforehand, for every id and every second of the window.
 */

import { limits } from '../../core/limits.ts'
import { equalBytes, hmacMd5, md5 } from '../../crypto/hash.ts'
import { type HmacMd5Key, hmacMd5Key, hmacMd5Second, littleEndian } from '../../crypto/md5-block.ts'
import { alterIds } from './identity.ts'

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

/** Seconds of the window: now and the permitted skew to both sides. */
const windowS = 2 * limits.clockSkewS + 1

/**
 * The authentications of one user. Only four bytes of each are kept, and each second is computed when it is first
 * looked at; the slots are reused as time goes on.
 */
export class LegacyTable {
  readonly #ids: readonly Uint8Array[]
  readonly #keys: readonly HmacMd5Key[]
  readonly #words: Int32Array
  readonly #secondOf = new Float64Array(windowS).fill(-1)

  /** @param alterId how many alternative ids the user has besides the primary one */
  constructor(id: Uint8Array, alterId: number) {
    this.#ids = [id, ...alterIds(id, alterId)]
    this.#keys = this.#ids.map(hmacMd5Key)
    this.#words = new Int32Array(windowS * this.#ids.length)
  }

  /** Which of the user's ids authenticates as `auth` in this second: 0 for the primary one, n for the nth alternative, or -1. */
  find(auth: Uint8Array, timeS: number): number {
    const slot = timeS % windowS
    const from = slot * this.#ids.length
    const to = from + this.#ids.length
    if (this.#secondOf[slot] !== timeS) {
      for (let i = from; i < to; i++) this.#words[i] = hmacMd5Second(this.#keys[i - from]!, timeS)
      this.#secondOf[slot] = timeS
    }
    const word = littleEndian(auth, 0)
    for (let i = from; i < to; i++) {
      if (this.#words[i] === word && equalBytes(legacyAuth(this.#ids[i - from]!, timeS), auth)) return i - from
    }
    return -1
  }
}

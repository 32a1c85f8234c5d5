/**
 * Nonces of one direction, one per sealed unit:
 *
 *     2 B counter, from 0 | IV[2..12)
 *
 * The counter starts again after 65536 units, as in every peer: nobody changes keys within a connection.
 */
export class NonceCounter {
  readonly #nonce: Uint8Array
  #count = 0

  /** @param iv at least 12 bytes; not kept */
  constructor(iv: Uint8Array) {
    this.#nonce = new Uint8Array(iv.subarray(0, 12))
  }

  /** The next nonce, 12 bytes; overwritten by the next call. */
  next(): Uint8Array {
    const nonce = this.#nonce
    nonce[0] = this.#count >>> 8
    nonce[1] = this.#count
    this.#count = (this.#count + 1) & 0xffff
    return nonce
  }
}

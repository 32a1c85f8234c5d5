import { keccakP } from '@noble/hashes/sha3.js'

/** Bytes that one permutation yields. */
const rate = 168

/** The output of SHAKE128 over a seed as an endless row of big-endian 16-bit numbers. Keeps 200 bytes, whatever has been drawn. */
export class Shake128 {
  readonly #state = new Uint32Array(50)
  #at = rate

  /** @param seed at most 166 bytes, absorbed at once */
  constructor(seed: Uint8Array) {
    for (let i = 0; i < seed.length; i++) this.#xor(i, seed[i]!)
    this.#xor(seed.length, 0x1f)
    this.#xor(rate - 1, 0x80)
  }

  /** The next number, 0 to 65535. */
  next(): number {
    if (this.#at === rate) {
      keccakP(this.#state)
      this.#at = 0
    }
    // Bytes lie in the words little-endian, two numbers to a word.
    const pair = this.#state[this.#at >> 2]! >>> ((this.#at & 2) << 3)
    this.#at += 2
    return ((pair & 0xff) << 8) | ((pair >>> 8) & 0xff)
  }

  #xor(at: number, byte: number): void {
    this.#state[at >> 2]! ^= byte << ((at & 3) << 3)
  }
}

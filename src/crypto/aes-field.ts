/** What sealing and opening by tables have in common: the bytes of AES and their arithmetic (FIPS 197). */

/** Rounds of AES-128. */
export const rounds = 10

/** SubBytes of every byte. */
export const sbox = new Uint8Array(256)
/** InvSubBytes of every byte. */
export const inverseSbox = new Uint8Array(256)

/** Times x in the field of AES. */
export const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff
/** To the right. */
export const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

/** p runs through the field as powers of 3, q through the inverses (FIPS 197). */
for (let p = 1, q = 1, first = true; first || p !== 1; first = false) {
  p ^= double(p)
  q ^= q << 1
  q ^= q << 2
  q ^= q << 4
  q = (q ^ (q & 0x80 ? 0x09 : 0)) & 0xff
  const spread = q | (q << 8)
  const s = (q ^ (spread >> 7) ^ (spread >> 6) ^ (spread >> 5) ^ (spread >> 4) ^ 0x63) & 0xff
  sbox[p] = s
  inverseSbox[s] = p
}
sbox[0] = 0x63
inverseSbox[0x63] = 0

/** Four bytes, big-endian, as an int32. */
export const readWord = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/**
 * AES-128 on single blocks. Sealing one is rare and left to Node. Opening is what a server does for every user when it looks for
 * the one who sent an AuthID, and there a call into Node costs several times the work itself, so that is done here, with tables.
 * Tables leak through the cache in theory; what an observer could learn is a key that only recognises AuthIDs, not the one
 * that seals headers.
 */
import { createCipheriv } from 'node:crypto'

/** Turns one 16-byte block into another. */
export type BlockCipher = (block: Uint8Array) => Uint8Array

/** @param key 16 bytes. The results are the caller's. */
export function aesEncryptor(key: Uint8Array): BlockCipher {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  return (block) => cipher.update(block)
}

/** The inverse of aesEncryptor. A result is valid until the next call of any decryptor: they all share it. */
export function aesDecryptor(key: Uint8Array): BlockCipher {
  const keys = decryptionKeys(key)
  return (block) => {
    decryptBlock(keys, block)
    return result
  }
}

const result = new Uint8Array(16)
const rounds = 10

const sbox = new Uint8Array(256)
const inverseSbox = new Uint8Array(256)
/** InvSubBytes and InvMixColumns of a byte in each of the four rows. */
const tables = [0, 1, 2, 3].map(() => new Int32Array(256)) as [Int32Array, Int32Array, Int32Array, Int32Array]

const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff
const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

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
for (let i = 0; i < 256; i++) {
  const x = inverseSbox[i]!
  const x2 = double(x)
  const x4 = double(x2)
  const x8 = double(x4)
  const column = ((x8 ^ x4 ^ x2) << 24) | ((x8 ^ x) << 16) | ((x8 ^ x4 ^ x) << 8) | (x8 ^ x2 ^ x)
  for (let row = 0; row < 4; row++) tables[row]![i] = rotate(column, 8 * row)
}

const [t0, t1, t2, t3] = tables

const substitute = (word: number): number =>
  (sbox[word >>> 24]! << 24) | (sbox[(word >> 16) & 255]! << 16) | (sbox[(word >> 8) & 255]! << 8) | sbox[word & 255]!

const inverseMix = (word: number): number => {
  const s = substitute(word)
  return t0[s >>> 24]! ^ t1[(s >> 16) & 255]! ^ t2[(s >> 8) & 255]! ^ t3[s & 255]!
}

/** Round keys in the order of decryption, those of the middle rounds with InvMixColumns applied. */
function decryptionKeys(key: Uint8Array): Int32Array {
  const words = new Int32Array(4 * (rounds + 1))
  for (let i = 0; i < 4; i++) words[i] = readWord(key, i * 4)
  for (let i = 4, constant = 1; i < words.length; i++) {
    let word = words[i - 1]!
    if (i % 4 === 0) {
      word = substitute(rotate(word, 24)) ^ (constant << 24)
      constant = double(constant)
    }
    words[i] = words[i - 4]! ^ word
  }
  const middle = (i: number): boolean => i >= 4 && i < 4 * rounds
  return new Int32Array(words.length).map((_, i) => {
    const from = 4 * (rounds - (i >> 2)) + (i & 3)
    return middle(from) ? inverseMix(words[from]!) : words[from]!
  })
}

const readWord = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

function decryptBlock(keys: Int32Array, block: Uint8Array): void {
  let a = readWord(block, 0) ^ keys[0]!
  let b = readWord(block, 4) ^ keys[1]!
  let c = readWord(block, 8) ^ keys[2]!
  let d = readWord(block, 12) ^ keys[3]!
  for (let k = 4; k < 4 * rounds; k += 4) {
    const e = t0[a >>> 24]! ^ t1[(d >> 16) & 255]! ^ t2[(c >> 8) & 255]! ^ t3[b & 255]! ^ keys[k]!
    const f = t0[b >>> 24]! ^ t1[(a >> 16) & 255]! ^ t2[(d >> 8) & 255]! ^ t3[c & 255]! ^ keys[k + 1]!
    const g = t0[c >>> 24]! ^ t1[(b >> 16) & 255]! ^ t2[(a >> 8) & 255]! ^ t3[d & 255]! ^ keys[k + 2]!
    d = t0[d >>> 24]! ^ t1[(c >> 16) & 255]! ^ t2[(b >> 8) & 255]! ^ t3[a & 255]! ^ keys[k + 3]!
    a = e
    b = f
    c = g
  }
  writeLast(0, a, d, c, b, keys[40]!)
  writeLast(4, b, a, d, c, keys[41]!)
  writeLast(8, c, b, a, d, keys[42]!)
  writeLast(12, d, c, b, a, keys[43]!)
}

/** The last round has no InvMixColumns. */
function writeLast(at: number, w: number, x: number, y: number, z: number, key: number): void {
  result[at] = inverseSbox[w >>> 24]! ^ (key >>> 24)
  result[at + 1] = inverseSbox[(x >> 16) & 255]! ^ (key >> 16)
  result[at + 2] = inverseSbox[(y >> 8) & 255]! ^ (key >> 8)
  result[at + 3] = inverseSbox[z & 255]! ^ key
}

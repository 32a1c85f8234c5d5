/**
 * AES-128 on single blocks. Sealing one is rare and left to Node. Opening is what a server does for every user when it looks for
 * the one who sent an AuthID, and there a call into Node costs many times the work itself, so that is done by tables
 * (key-search/table.ts), which are made here.
 */
import { createCipheriv } from 'node:crypto'
import { double, inverseSbox, readWord, rotate, rounds, sbox } from './aes-field.ts'
import { secretKey } from './secret-key.ts'

/** Turns one 16-byte block into another. */
export type BlockCipher = (block: Uint8Array) => Uint8Array

/** @param key 16 bytes. The results are the caller's. */
export function aesEncryptor(key: Uint8Array): BlockCipher {
  const cipher = createCipheriv('aes-128-ecb', secretKey(key), null).setAutoPadding(false)
  return (block) => cipher.update(block)
}

const table = (): Int32Array => new Int32Array(256)
/** InvSubBytes and InvMixColumns of a byte in each of the four rows. */
export const inverseRows = [table(), table(), table(), table()] as const
const [row0, row1, row2, row3] = inverseRows

for (let i = 0; i < 256; i++) {
  const x = inverseSbox[i]!
  const x2 = double(x)
  const x4 = double(x2)
  const x8 = double(x4)
  const column = ((x8 ^ x4 ^ x2) << 24) | ((x8 ^ x) << 16) | ((x8 ^ x4 ^ x) << 8) | (x8 ^ x2 ^ x)
  row0[i] = column
  row1[i] = rotate(column, 8)
  row2[i] = rotate(column, 16)
  row3[i] = rotate(column, 24)
}

const substitute = (word: number): number =>
  (sbox[word >>> 24]! << 24) | (sbox[(word >> 16) & 255]! << 16) | (sbox[(word >> 8) & 255]! << 8) | sbox[word & 255]!

const inverseMix = (word: number): number => {
  const s = substitute(word)
  return row0[s >>> 24]! ^ row1[(s >> 16) & 255]! ^ row2[(s >> 8) & 255]! ^ row3[s & 255]!
}

/** Words of an expanded key: four for each round, and four before the first. */
export const expandedWords = 4 * (rounds + 1)
const expanded = new Int32Array(expandedWords)

/** Writes round keys in the order of decryption, those of the middle rounds with InvMixColumns applied. @param key 16 bytes */
export function expandDecryptionKey(key: Uint8Array, into: Int32Array, at: number): void {
  for (let i = 0; i < 4; i++) expanded[i] = readWord(key, i * 4)
  for (let i = 4, constant = 1; i < expandedWords; i++) {
    let word = expanded[i - 1]!
    if (i % 4 === 0) {
      word = substitute(rotate(word, 24)) ^ (constant << 24)
      constant = double(constant)
    }
    expanded[i] = expanded[i - 4]! ^ word
  }
  for (let i = 0; i < expandedWords; i++) {
    const from = 4 * (rounds - (i >> 2)) + (i & 3)
    into[at + i] = from >= 4 && from < 4 * rounds ? inverseMix(expanded[from]!) : expanded[from]!
  }
}

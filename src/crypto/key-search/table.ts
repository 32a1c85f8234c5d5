/**
 * The search by tables, in TypeScript.
 *
 * For a key that does not match, as almost none does, only one function over one array is run. Its last round does
 * not open the block: a CRC is linear, so what each byte adds to it, through InvSubBytes, is a table, and what the key adds is
 * one constant. Eight bits of that tell 255 of 256 wrong keys, whatever the block holds; only the others are opened.
 *
 * Tables leak through the cache in theory; what an observer could learn is a key that only recognises AuthIDs, not one that
 * seals headers.
 */

import { expandDecryptionKey, expandedWords, inverseRows } from '../aes-block.ts'
import { inverseSbox, readWord } from '../aes-field.ts'
import { crc32 } from '../checksum.ts'
import type { KeySearch } from './model.ts'

// Names of this module: wherever modules are rewritten, each look-up of an imported one would take many times as long.
const [row0, row1, row2, row3] = inverseRows
const lastRow = inverseSbox

/** Of a slot: the keys of all rounds but the last, what the last adds to eight bits of the checksum, and the last. */
const checkAt = expandedWords - 4
const lastAt = checkAt + 1
const stride = expandedWords + 1
/** In the place of the eight bits in an empty slot. */
const never = -1

/** What a byte before the last round adds to the low eight bits of checksum and stored checksum, at each place in the block. */
const adds = new Uint8Array(16 * 256)
/** The checksum of twelve zeros, which the linear part leaves out. */
const zeroSum = crc32(new Uint8Array(12))

let made = false

/** What bits add together is the sum of what each adds; 32 times as many checksums would be the longest part of a start. */
function makeAdds(): void {
  made = true
  const [block, ofByte] = [new Uint8Array(16), new Uint8Array(256)]
  for (let at = 0; at < 16; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      block[at] = bit
      const sum = sumOf(block)
      for (let rest = 0; rest < bit; rest++) ofByte[bit | rest] = sum ^ ofByte[rest]!
    }
    for (let byte = 0; byte < 256; byte++) adds[(at << 8) | byte] = ofByte[lastRow[byte]!]!
    block[at] = 0
  }
}

/** Low eight bits that a block, or a key of the last round, adds; 0 in all for what proves itself. */
function sumOf(block: Uint8Array): number {
  return (crc32(block, 0, 12) ^ zeroSum ^ block[15]!) & 255
}

/** Keys as tables want them: 180 bytes each. */
export class TableKeySearch implements KeySearch {
  readonly speed = 1
  #words = new Int32Array(0)
  readonly #opened = new Uint8Array(16)

  constructor() {
    if (!made) makeAdds()
  }

  set(slot: number, key: Uint8Array): void {
    this.#hold(slot)
    const at = slot * stride
    expandDecryptionKey(key, this.#words, at)
    this.#words.copyWithin(at + lastAt, at + checkAt, at + expandedWords)
    // The last round key of decryption is the key itself.
    this.#words[at + checkAt] = sumOf(key) ^ (zeroSum & 255)
  }

  clear(slot: number): void {
    if (slot * stride < this.#words.length) this.#words[slot * stride + checkAt] = never
  }

  find(block: Uint8Array, from: number, to: number): number {
    const words = this.#words
    const end = Math.min(to * stride, words.length)
    const block0 = readWord(block, 0)
    const block1 = readWord(block, 4)
    const block2 = readWord(block, 8)
    const block3 = readWord(block, 12)
    for (let at = from * stride; at < end; at += stride) {
      if (checkOf(words, at, block0, block1, block2, block3) === 0 && this.#proves(at, block)) return at / stride
    }
    return -1
  }

  matches(slot: number, block: Uint8Array): boolean {
    return this.find(block, slot, slot + 1) === slot
  }

  open(slot: number, block: Uint8Array, into: Uint8Array): void {
    openBlock(this.#words, slot * stride, block, into)
  }

  #proves(at: number, block: Uint8Array): boolean {
    const opened = this.#opened
    openBlock(this.#words, at, block, opened)
    return crc32(opened, 0, 12) >> 0 === readWord(opened, 12)
  }

  /** Grows by a quarter, so that many keys waste little. */
  #hold(slot: number): void {
    const have = this.#words.length / stride
    if (slot < have) return
    const words = new Int32Array(Math.max(8, slot + 1, have + (have >> 2)) * stride)
    words.set(this.#words)
    for (let at = this.#words.length + checkAt; at < words.length; at += stride) words[at] = never
    this.#words = words
  }
}

/** 0 where the eight bits are those of the key at `at`, of which 255 of 256 wrong ones differ. Written out, it takes half the time. */
function checkOf(
  words: Int32Array,
  at: number,
  block0: number,
  block1: number,
  block2: number,
  block3: number,
): number {
  let a = block0 ^ words[at]!
  let b = block1 ^ words[at + 1]!
  let c = block2 ^ words[at + 2]!
  let d = block3 ^ words[at + 3]!
  let e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[at + 4]!
  let f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[at + 5]!
  let g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[at + 6]!
  let h = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[at + 7]!
  a = row0[e >>> 24]! ^ row1[(h >> 16) & 255]! ^ row2[(g >> 8) & 255]! ^ row3[f & 255]! ^ words[at + 8]!
  b = row0[f >>> 24]! ^ row1[(e >> 16) & 255]! ^ row2[(h >> 8) & 255]! ^ row3[g & 255]! ^ words[at + 9]!
  c = row0[g >>> 24]! ^ row1[(f >> 16) & 255]! ^ row2[(e >> 8) & 255]! ^ row3[h & 255]! ^ words[at + 10]!
  d = row0[h >>> 24]! ^ row1[(g >> 16) & 255]! ^ row2[(f >> 8) & 255]! ^ row3[e & 255]! ^ words[at + 11]!
  e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[at + 12]!
  f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[at + 13]!
  g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[at + 14]!
  h = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[at + 15]!
  a = row0[e >>> 24]! ^ row1[(h >> 16) & 255]! ^ row2[(g >> 8) & 255]! ^ row3[f & 255]! ^ words[at + 16]!
  b = row0[f >>> 24]! ^ row1[(e >> 16) & 255]! ^ row2[(h >> 8) & 255]! ^ row3[g & 255]! ^ words[at + 17]!
  c = row0[g >>> 24]! ^ row1[(f >> 16) & 255]! ^ row2[(e >> 8) & 255]! ^ row3[h & 255]! ^ words[at + 18]!
  d = row0[h >>> 24]! ^ row1[(g >> 16) & 255]! ^ row2[(f >> 8) & 255]! ^ row3[e & 255]! ^ words[at + 19]!
  e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[at + 20]!
  f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[at + 21]!
  g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[at + 22]!
  h = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[at + 23]!
  a = row0[e >>> 24]! ^ row1[(h >> 16) & 255]! ^ row2[(g >> 8) & 255]! ^ row3[f & 255]! ^ words[at + 24]!
  b = row0[f >>> 24]! ^ row1[(e >> 16) & 255]! ^ row2[(h >> 8) & 255]! ^ row3[g & 255]! ^ words[at + 25]!
  c = row0[g >>> 24]! ^ row1[(f >> 16) & 255]! ^ row2[(e >> 8) & 255]! ^ row3[h & 255]! ^ words[at + 26]!
  d = row0[h >>> 24]! ^ row1[(g >> 16) & 255]! ^ row2[(f >> 8) & 255]! ^ row3[e & 255]! ^ words[at + 27]!
  e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[at + 28]!
  f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[at + 29]!
  g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[at + 30]!
  h = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[at + 31]!
  a = row0[e >>> 24]! ^ row1[(h >> 16) & 255]! ^ row2[(g >> 8) & 255]! ^ row3[f & 255]! ^ words[at + 32]!
  b = row0[f >>> 24]! ^ row1[(e >> 16) & 255]! ^ row2[(h >> 8) & 255]! ^ row3[g & 255]! ^ words[at + 33]!
  c = row0[g >>> 24]! ^ row1[(f >> 16) & 255]! ^ row2[(e >> 8) & 255]! ^ row3[h & 255]! ^ words[at + 34]!
  d = row0[h >>> 24]! ^ row1[(g >> 16) & 255]! ^ row2[(f >> 8) & 255]! ^ row3[e & 255]! ^ words[at + 35]!
  e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[at + 36]!
  f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[at + 37]!
  g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[at + 38]!
  h = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[at + 39]!
  // Bytes in the order in which InvShiftRows takes them.
  return (
    words[at + checkAt]! ^
    adds[e >>> 24]! ^
    adds[0x100 | ((h >> 16) & 255)]! ^
    adds[0x200 | ((g >> 8) & 255)]! ^
    adds[0x300 | (f & 255)]! ^
    adds[0x400 | (f >>> 24)]! ^
    adds[0x500 | ((e >> 16) & 255)]! ^
    adds[0x600 | ((h >> 8) & 255)]! ^
    adds[0x700 | (g & 255)]! ^
    adds[0x800 | (g >>> 24)]! ^
    adds[0x900 | ((f >> 16) & 255)]! ^
    adds[0xa00 | ((e >> 8) & 255)]! ^
    adds[0xb00 | (h & 255)]! ^
    adds[0xc00 | (h >>> 24)]! ^
    adds[0xd00 | ((g >> 16) & 255)]! ^
    adds[0xe00 | ((f >> 8) & 255)]! ^
    adds[0xf00 | (e & 255)]!
  )
}

function openBlock(words: Int32Array, at: number, block: Uint8Array, into: Uint8Array): void {
  let a = readWord(block, 0) ^ words[at]!
  let b = readWord(block, 4) ^ words[at + 1]!
  let c = readWord(block, 8) ^ words[at + 2]!
  let d = readWord(block, 12) ^ words[at + 3]!
  for (let k = at + 4; k < at + checkAt; k += 4) {
    const e = row0[a >>> 24]! ^ row1[(d >> 16) & 255]! ^ row2[(c >> 8) & 255]! ^ row3[b & 255]! ^ words[k]!
    const f = row0[b >>> 24]! ^ row1[(a >> 16) & 255]! ^ row2[(d >> 8) & 255]! ^ row3[c & 255]! ^ words[k + 1]!
    const g = row0[c >>> 24]! ^ row1[(b >> 16) & 255]! ^ row2[(a >> 8) & 255]! ^ row3[d & 255]! ^ words[k + 2]!
    d = row0[d >>> 24]! ^ row1[(c >> 16) & 255]! ^ row2[(b >> 8) & 255]! ^ row3[a & 255]! ^ words[k + 3]!
    a = e
    b = f
    c = g
  }
  writeLast(into, 0, a, d, c, b, words[at + lastAt]!)
  writeLast(into, 4, b, a, d, c, words[at + lastAt + 1]!)
  writeLast(into, 8, c, b, a, d, words[at + lastAt + 2]!)
  writeLast(into, 12, d, c, b, a, words[at + lastAt + 3]!)
}

/** The last round has no InvMixColumns. */
function writeLast(into: Uint8Array, at: number, w: number, x: number, y: number, z: number, key: number): void {
  into[at] = lastRow[w >>> 24]! ^ (key >>> 24)
  into[at + 1] = lastRow[(x >> 16) & 255]! ^ (key >> 16)
  into[at + 2] = lastRow[(y >> 8) & 255]! ^ (key >> 8)
  into[at + 3] = lastRow[z & 255]! ^ key
}

/**
 * AES-128-GCM in TypeScript, for a few messages of a few bytes under one key, such as headers and how most bodies begin and
 * end: a call into Node costs several times the work itself there, and leaves garbage. Tables leak through the cache in
 * theory; to learn a key by that takes hundreds of blocks under it, so whatever seals more belongs to Node.
 */
import { double, readWord, rotate, rounds, sbox } from './aes-field.ts'

/** Bytes of the tag. */
const tagLength = 16

/** SubBytes and MixColumns of a byte in each of the four rows. */
const [t0, t1, t2, t3] = [new Int32Array(256), new Int32Array(256), new Int32Array(256), new Int32Array(256)] as const

for (let i = 0; i < 256; i++) {
  const s = sbox[i]!
  const s2 = double(s)
  const column = (s2 << 24) | (s << 16) | (s << 8) | (s2 ^ s)
  t0[i] = column
  t1[i] = rotate(column, 8)
  t2[i] = rotate(column, 16)
  t3[i] = rotate(column, 24)
}

/** All that one message needs; overwritten by the next one. */
const keys = new Int32Array(4 * (rounds + 1))
/** The block that was encrypted last. */
const block = new Int32Array(4)
/** The hash so far. */
const hash = new Int32Array(4)
/** The hash key times every polynomial of four bits, four words each. */
const products = new Int32Array(64)
/** What four bits that leave on the right add on the left. */
const reduced = new Int32Array(16).map((_, bits) => {
  let word = 0
  for (let i = 0; i < 4; i++) if (bits & (1 << i)) word ^= 0xe1000000 >>> (3 - i)
  return word
})

function expandKey(key: Uint8Array): void {
  let a = readWord(key, 0)
  let b = readWord(key, 4)
  let c = readWord(key, 8)
  let d = readWord(key, 12)
  keys[0] = a
  keys[1] = b
  keys[2] = c
  keys[3] = d
  for (let i = 4, constant = 1; i < keys.length; i += 4) {
    a ^= (sbox[(d >> 16) & 255]! << 24) | (sbox[(d >> 8) & 255]! << 16) | (sbox[d & 255]! << 8) | sbox[d >>> 24]!
    a ^= constant << 24
    b ^= a
    c ^= b
    d ^= c
    keys[i] = a
    keys[i + 1] = b
    keys[i + 2] = c
    keys[i + 3] = d
    constant = double(constant)
  }
}

/** Encrypts four words into `block`. */
function encrypt(w: number, x: number, y: number, z: number): void {
  let a = w ^ keys[0]!
  let b = x ^ keys[1]!
  let c = y ^ keys[2]!
  let d = z ^ keys[3]!
  for (let k = 4; k < 4 * rounds; k += 4) {
    const e = t0[a >>> 24]! ^ t1[(b >> 16) & 255]! ^ t2[(c >> 8) & 255]! ^ t3[d & 255]! ^ keys[k]!
    const f = t0[b >>> 24]! ^ t1[(c >> 16) & 255]! ^ t2[(d >> 8) & 255]! ^ t3[a & 255]! ^ keys[k + 1]!
    const g = t0[c >>> 24]! ^ t1[(d >> 16) & 255]! ^ t2[(a >> 8) & 255]! ^ t3[b & 255]! ^ keys[k + 2]!
    d = t0[d >>> 24]! ^ t1[(a >> 16) & 255]! ^ t2[(b >> 8) & 255]! ^ t3[c & 255]! ^ keys[k + 3]!
    a = e
    b = f
    c = g
  }
  block[0] = lastRound(a, b, c, d) ^ keys[40]!
  block[1] = lastRound(b, c, d, a) ^ keys[41]!
  block[2] = lastRound(c, d, a, b) ^ keys[42]!
  block[3] = lastRound(d, a, b, c) ^ keys[43]!
}

/** Without MixColumns. */
const lastRound = (w: number, x: number, y: number, z: number): number =>
  (sbox[w >>> 24]! << 24) | (sbox[(x >> 16) & 255]! << 16) | (sbox[(y >> 8) & 255]! << 8) | sbox[z & 255]!

/** Begins a message: key and hash key are ready, the hash is empty. */
function begin(key: Uint8Array): void {
  expandKey(key)
  encrypt(0, 0, 0, 0)
  let a = block[0]!
  let b = block[1]!
  let c = block[2]!
  let d = block[3]!
  for (let i = 8; i > 0; i >>= 1) {
    const at = 4 * i
    products[at] = a
    products[at + 1] = b
    products[at + 2] = c
    products[at + 3] = d
    const out = d & 1 ? 0xe1000000 : 0
    d = (d >>> 1) | (c << 31)
    c = (c >>> 1) | (b << 31)
    b = (b >>> 1) | (a << 31)
    a = (a >>> 1) ^ out
  }
  for (let high = 2; high < 16; high <<= 1) {
    for (let low = 1; low < high; low++) {
      for (let word = 0; word < 4; word++) {
        products[4 * (high + low) + word] = products[4 * high + word]! ^ products[4 * low + word]!
      }
    }
  }
  hash.fill(0)
}

/** Takes four words into the hash. */
function absorb(w: number, x: number, y: number, z: number): void {
  hash[0]! ^= w
  hash[1]! ^= x
  hash[2]! ^= y
  hash[3]! ^= z
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let word = 3; word >= 0; word--) {
    let bits = hash[word]!
    for (let i = 0; i < 8; i++) {
      const at = (bits & 15) << 2
      const out = reduced[d & 15]!
      d = ((d >>> 4) | (c << 28)) ^ products[at + 3]!
      c = ((c >>> 4) | (b << 28)) ^ products[at + 2]!
      b = ((b >>> 4) | (a << 28)) ^ products[at + 1]!
      a = (a >>> 4) ^ out ^ products[at]!
      bits >>>= 4
    }
  }
  hash[0] = a
  hash[1] = b
  hash[2] = c
  hash[3] = d
}
/** Up to four bytes that end at `end`, filled up with zeros. */
const readPart = (bytes: Uint8Array, at: number, end: number): number =>
  at + 4 <= end
    ? readWord(bytes, at)
    : at >= end
      ? 0
      : (bytes[at]! << 24) | (at + 1 < end ? bytes[at + 1]! << 16 : 0) | (at + 2 < end ? bytes[at + 2]! << 8 : 0)

function absorbBytes(bytes: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end; at += 16) {
    absorb(
      readPart(bytes, at, end),
      readPart(bytes, at + 4, end),
      readPart(bytes, at + 8, end),
      readPart(bytes, at + 12, end),
    )
  }
}

/** The tag of what was absorbed, in `block`. */
function finish(nonce: Uint8Array, aad: number, text: number): void {
  absorb(0, aad << 3, 0, text << 3)
  encrypt(readWord(nonce, 0), readWord(nonce, 4), readWord(nonce, 8), 1)
  for (let i = 0; i < 4; i++) block[i]! ^= hash[i]!
}

/** Xors the key stream to bytes [from, end) of `text`, into `into` at `at`. */
function crypt(nonce: Uint8Array, text: Uint8Array, from: number, end: number, into: Uint8Array, at: number): void {
  const a = readWord(nonce, 0)
  const b = readWord(nonce, 4)
  const c = readWord(nonce, 8)
  for (let counter = 2; from < end; counter++) {
    encrypt(a, b, c, counter)
    const until = Math.min(from + 16, end)
    for (let i = 0; from < until; i++, from++, at++) into[at] = text[from]! ^ (block[i >> 2]! >>> (24 - 8 * (i & 3)))
  }
}

/**
 * Writes ciphertext and tag of `plain` into `into` at `at`, 16 bytes more.
 * @param key 16 bytes @param nonce 12 bytes
 */
export function sealBrief(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  into: Uint8Array,
  at: number,
  aad?: Uint8Array,
): void {
  const { length } = plain
  begin(key)
  if (aad !== undefined) absorbBytes(aad, 0, aad.length)
  crypt(nonce, plain, 0, length, into, at)
  absorbBytes(into, at, at + length)
  finish(nonce, aad?.length ?? 0, length)
  at += length
  for (let i = 0; i < tagLength; i++) into[at + i] = block[i >> 2]! >>> (24 - 8 * (i & 3))
}

/**
 * Writes the plaintext of bytes [from, end) of `sealed`, ciphertext and tag, into `into` at `at`, 16 bytes less. False when
 * the tag is wrong: then `into` is untouched. It may be the same memory, where nothing is written behind what is read.
 */
export function openBrief(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  from: number,
  end: number,
  into: Uint8Array,
  at: number,
  aad?: Uint8Array,
): boolean {
  const tagAt = end - tagLength
  if (tagAt < from) return false
  begin(key)
  if (aad !== undefined) absorbBytes(aad, 0, aad.length)
  absorbBytes(sealed, from, tagAt)
  finish(nonce, aad?.length ?? 0, tagAt - from)
  let wrong = 0
  for (let i = 0; i < 4; i++) wrong |= block[i]! ^ readWord(sealed, tagAt + 4 * i)
  if (wrong !== 0) return false
  crypt(nonce, sealed, from, tagAt, into, at)
  return true
}

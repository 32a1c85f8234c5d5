/**
 * SHA-256 with its inner state in the open. The key derivation of VMess nests HMACs whose first blocks are constants, so most
 * of its work can be done once and continued from there; the hash objects of Node can be copied, but a copy costs more
 * than the block that it saves.
 */

/** The chaining value after some whole blocks. */
export interface Midstate {
  readonly words: Int32Array
  /** Bytes absorbed so far, a multiple of 64. */
  readonly length: number
}

const roundConstants = new Int32Array(64)
const initialWords = new Int32Array(8)

/** The constants are the first 32 fraction bits of the roots of the first primes (FIPS 180-4). */
for (let n = 0, candidate = 2; n < 64; candidate++) {
  let prime = true
  for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) prime = false
  if (!prime) continue
  if (n < 8) initialWords[n] = fractionBits(Math.sqrt(candidate))
  roundConstants[n++] = fractionBits(Math.cbrt(candidate))
}

function fractionBits(x: number): number {
  return ((x - Math.floor(x)) * 0x1_0000_0000) | 0
}

/** The state before the first byte. */
export const sha256Start: Midstate = { words: initialWords, length: 0 }

const schedule = new Int32Array(64)
const tail = new Uint8Array(128)

/** A midstate that is written over: for what is needed no longer than a call lasts. */
export interface Register {
  readonly words: Int32Array
  length: number
}

export const register = (): Register => ({ words: new Int32Array(8), length: 0 })

/**
 * The state after the block that HMAC makes of a key: at most 64 bytes, filled up with zeros, each xor `pad` (a byte).
 * @param into where it is written, and what is returned
 */
export function sha256AbsorbKey(state: Midstate, key: Uint8Array, pad: number, into = register()): Midstate {
  const filler = Math.imul(pad, 0x01010101)
  for (let i = 0; i < 16; i++) schedule[i] = filler
  for (let i = 0; i < key.length; i++) schedule[i >> 2]! ^= key[i]! << (24 - 8 * (i & 3))
  compress(state.words, into.words)
  into.length = state.length + 64
  return into
}

/** A digest as eight big-endian words: the form in which it goes on into the next hash. */
export type DigestWords = Int32Array

/** Ends the hash: `message` behind `state`, digest into `into`. */
export function sha256Finish(state: Midstate, message: Uint8Array, into: DigestWords): void {
  let words = state.words
  let at = 0
  for (; message.length - at >= 64; at += 64) {
    loadBlock(message, at)
    compress(words, into)
    words = into
  }
  const rest = message.length - at
  const padded = rest < 56 ? 64 : 128
  tail.fill(0, rest, padded)
  for (let i = 0; i < rest; i++) tail[i] = message[at + i]!
  tail[rest] = 0x80
  const bits = (state.length + message.length) * 8
  for (let i = 0; i < 4; i++) tail[padded - 1 - i] = bits >>> (8 * i)
  for (at = 0; at < padded; at += 64) {
    loadBlock(tail, at)
    compress(words, into)
    words = into
  }
}

/** The same where the message is a digest; `into` may be `message`. */
export function sha256FinishDigest(state: Midstate, message: DigestWords, into: DigestWords): void {
  for (let i = 0; i < 8; i++) schedule[i] = message[i]!
  for (let i = 9; i < 15; i++) schedule[i] = 0
  schedule[8] = 1 << 31
  schedule[15] = (state.length + 32) * 8
  compress(state.words, into)
}

/** The first bytes of a digest, 32 unless `into` has fewer. */
export function digestBytes(words: DigestWords, into: Uint8Array = new Uint8Array(32)): Uint8Array {
  for (let i = 0; i < into.length; i++) into[i] = words[i >> 2]! >>> (24 - 8 * (i & 3))
  return into
}

function loadBlock(bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4) {
    schedule[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }
}

/** One block, already loaded into the schedule. `to` may be `from`. The many `| 0` keep V8 in 32-bit integers. */
function compress(from: Int32Array, to: Int32Array): void {
  const w = schedule
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!
    const y = w[i - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[i] = ((w[i - 16]! + w[i - 7]!) | 0) + ((s0 + s1) | 0)
  }
  let a = from[0]!
  let b = from[1]!
  let c = from[2]!
  let d = from[3]!
  let e = from[4]!
  let f = from[5]!
  let g = from[6]!
  let h = from[7]!
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const choose = g ^ (e & (f ^ g))
    const t1 = (((h + s1) | 0) + ((choose + roundConstants[i]!) | 0) + w[i]!) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const majority = (a & b) ^ (c & (a ^ b))
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + ((s0 + majority) | 0)) | 0
  }
  to[0] = from[0]! + a
  to[1] = from[1]! + b
  to[2] = from[2]! + c
  to[3] = from[3]! + d
  to[4] = from[4]! + e
  to[5] = from[5]! + f
  to[6] = from[6]! + g
  to[7] = from[7]! + h
}

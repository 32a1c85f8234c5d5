/**
 * MD5 of one block, and HMAC-MD5 of a time, as fast as many users need them: a call into Node costs ten times what a block
 * does. The padded key of an HMAC is absorbed beforehand, so that one value costs two blocks.
 */

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
/** Per step: how far it turns, which word of the block it takes, which constant it adds (RFC 1321). */
const turns = new Int32Array(64).map((_, i) => shifts[((i >> 4) << 2) | (i & 3)]!)
const words = new Int32Array(64).map((_, i) => [i, 5 * i + 1, 3 * i + 5, 7 * i][i >> 4]! & 15)
const sines = new Int32Array(64).map((_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000) | 0)
const start = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476)

/** Longest message of md5Short, bytes. */
const shortMax = 55

/** MD5 of at most 55 bytes: 16 bytes. */
export function md5Short(message: Uint8Array): Uint8Array {
  if (message.length > shortMax) throw new RangeError('more than one block')
  block.fill(0)
  for (let i = 0; i < message.length; i++) block[i >> 2]! |= message[i]! << (8 * (i & 3))
  block[message.length >> 2]! |= 0x80 << (8 * (message.length & 3))
  block[14] = message.length * 8
  compress(start, 0, digest, 0)
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = digest[i >> 2]! >>> (8 * (i & 3))
  return bytes
}

/** Words that a key of HMAC-MD5 takes with the work done that does not depend on the message. */
export const hmacMd5Words = 8

/** Writes a key of HMAC-MD5. @param key at most 64 bytes */
export function hmacMd5Key(key: Uint8Array, into: Int32Array, at = 0): void {
  for (const [i, pad] of [0x36, 0x5c].entries()) {
    block.fill(Math.imul(pad, 0x01010101))
    for (let k = 0; k < key.length; k++) block[k >> 2]! ^= key[k]! << (8 * (k & 3))
    compress(start, 0, into, at + 4 * i)
  }
}

/** The first four bytes, as a little-endian int32, of HMAC-MD5 over `seconds` as eight big-endian bytes. */
export function hmacMd5Second(keys: Int32Array, at: number, seconds: number): number {
  block.fill(0)
  block[0] = swap(Math.floor(seconds / 0x1_0000_0000))
  block[1] = swap(seconds | 0)
  block[2] = 0x80
  block[14] = (64 + 8) * 8
  compress(keys, at, digest, 0)
  block.fill(0)
  block.set(digest)
  block[4] = 0x80
  block[14] = (64 + 16) * 8
  compress(keys, at + 4, digest, 0)
  return digest[0]!
}

/** Four bytes as a little-endian int32: comparable with hmacMd5Second. */
export const littleEndian = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

const block = new Int32Array(16)
const digest = new Int32Array(4)

const swap = (x: number): number => (x << 24) | ((x << 8) & 0xff0000) | ((x >>> 8) & 0xff00) | (x >>> 24)

/** One block, already loaded. */
function compress(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  let a = from[fromAt]!
  let b = from[fromAt + 1]!
  let c = from[fromAt + 2]!
  let d = from[fromAt + 3]!
  for (let i = 0; i < 64; i++) {
    const mixed = i < 16 ? d ^ (b & (c ^ d)) : i < 32 ? c ^ (d & (b ^ c)) : i < 48 ? b ^ c ^ d : c ^ (b | ~d)
    const sum = (((a + mixed) | 0) + ((sines[i]! + block[words[i]!]!) | 0)) | 0
    const turn = turns[i]!
    a = d
    d = c
    c = b
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0
  }
  to[toAt] = from[fromAt]! + a
  to[toAt + 1] = from[fromAt + 1]! + b
  to[toAt + 2] = from[fromAt + 2]! + c
  to[toAt + 3] = from[fromAt + 3]! + d
}

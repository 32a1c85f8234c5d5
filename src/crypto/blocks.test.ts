import { createHash, createHmac } from 'node:crypto'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { fakeRandom } from '../testing/fakes.ts'
import { aesEncryptor } from './aes-block.ts'
import { crc32, fnv1a32 } from './checksum.ts'
import { equalBytes, hmacMd5, md5, sha1, sha256 } from './hash.ts'
import { hmacMd5Key, hmacMd5Second, littleEndian, md5Short } from './md5-block.ts'
import { digestBytes, sha256AbsorbKey, sha256Finish, sha256FinishDigest, sha256Start } from './sha256-block.ts'

const random = fakeRandom(2)
const bytes = (length: number) => random.fill(new Uint8Array(length))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')
const padded = (key: Uint8Array, pad: number) => new Uint8Array(64).map((_, i) => (key[i] ?? 0) ^ pad)

it('SHA-256 of every length around its blocks, from the start and from a midstate', () => {
  for (let length = 0; length <= 200; length++) {
    const message = bytes(length)
    const key = bytes(length % 65)
    const out = new Int32Array(8)
    sha256Finish(sha256Start, message, out)
    expect(hex(digestBytes(out))).toBe(createHash('sha256').update(message).digest('hex'))
    const midstate = sha256AbsorbKey(sha256AbsorbKey(sha256Start, key, 0x36), message.subarray(0, 64), 0x5c)
    const front = Buffer.concat([padded(key, 0x36), padded(message.subarray(0, 64), 0x5c)])
    sha256Finish(midstate, message, out)
    const first = createHash('sha256').update(front).update(message).digest()
    expect(hex(digestBytes(out))).toBe(first.toString('hex'))
    sha256FinishDigest(midstate, out, out)
    expect(hex(digestBytes(out))).toBe(createHash('sha256').update(front).update(first).digest('hex'))
  }
})

it('HMAC-MD5 of seconds', () => {
  for (const seconds of [0, 1, 255, 1_700_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12_345]) {
    for (const length of [0, 16, 64]) {
      const key = bytes(length)
      const message = Buffer.alloc(8)
      message.writeBigUInt64BE(BigInt(seconds))
      const whole = createHmac('md5', key).update(message).digest()
      const keys = new Int32Array(11)
      hmacMd5Key(key, keys, 3)
      expect(hmacMd5Second(keys, 3, seconds)).toBe(littleEndian(whole, 0))
      expect(hex(hmacMd5(key, message))).toBe(whole.toString('hex'))
    }
  }
})

it('hashes over parts', () => {
  const a = bytes(10)
  const b = bytes(90)
  for (const [name, hash] of [
    ['md5', md5],
    ['sha1', sha1],
    ['sha256', sha256],
  ] as const) {
    expect(hex(hash(a, b))).toBe(createHash(name).update(a).update(b).digest('hex'))
  }
})

it('MD5 of every length that fits into one block', () => {
  for (let length = 0; length <= 55; length++) {
    const message = bytes(length)
    expect(hex(md5Short(message))).toBe(hex(md5(message)))
  }
  expect(() => md5Short(bytes(56))).toThrow(RangeError)
})

it('checksums, also of a part', () => {
  for (let length = 0; length < 300; length += 7) {
    const data = bytes(length)
    expect(crc32(data)).toBe(zlibCrc32(data))
    expect(crc32(data, 2, length - 1)).toBe(zlibCrc32(data.subarray(2, Math.max(2, length - 1))))
    expect(fnv1a32(data, 3, length)).toBe(fnv1a32(data.subarray(3)))
  }
})

it('AES-128 blocks (FIPS 197), many with one context', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  const plain = Uint8Array.from({ length: 16 }, (_, i) => i * 17)
  const encrypt = aesEncryptor(key)
  for (let i = 0; i < 3; i++) expect(hex(encrypt(plain))).toBe('69c4e0d86a7b0430d8cdb78070b4c55a')
})

it('equalBytes compares content and length', () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
})

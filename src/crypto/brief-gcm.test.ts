import { createCipheriv } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fakeRandom } from '../testing/fakes.ts'
import { createAead } from './aead.ts'
import { openBrief, sealBrief } from './brief-gcm.ts'

const random = fakeRandom(3)
const bytes = (length: number) => random.fill(new Uint8Array(length))

/** By Node, to where 5 other bytes come first. */
function sealByNode(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array | undefined,
  into: Uint8Array,
) {
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  if (aad) cipher.setAAD(aad)
  into.set(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), 5)
}

describe('AES-128-GCM for a message or two', () => {
  it('is that of Node, of every length around its blocks, with and without additional data', () => {
    for (let length = 0; length <= 70; length++) {
      for (const aad of [undefined, bytes(16), bytes(length % 23)]) {
        const [key, nonce, plain] = [bytes(16), bytes(12), bytes(length)]
        const wanted = new Uint8Array(length + 16 + 8).fill(1)
        const sealed = wanted.slice()
        sealByNode(key, nonce, plain, aad, wanted)
        sealBrief(key, nonce, plain, sealed, 5, aad)
        expect(sealed).toEqual(wanted)
        const opened = new Uint8Array(length)
        expect(openBrief(key, nonce, sealed, 5, sealed.length - 3, opened, 0, aad)).toBe(true)
        expect(opened).toEqual(plain)
        expect(openBrief(key, nonce, sealed, 5, sealed.length - 3, sealed, 2, aad)).toBe(true)
        expect(sealed.subarray(2, 2 + length)).toEqual(plain)
      }
    }
  })

  it('refuses whatever was changed, and leaves the output alone', () => {
    const [key, nonce, plain, aad] = [bytes(16), bytes(12), bytes(20), bytes(16)]
    const sealed = new Uint8Array(36)
    sealBrief(key, nonce, plain, sealed, 0, aad)
    const into = new Uint8Array(20).fill(7)
    for (let bit = 0; bit < 36 * 8; bit++) {
      const changed = sealed.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(openBrief(key, nonce, changed, 0, 36, into, 0, aad)).toBe(false)
    }
    expect(openBrief(key, nonce, sealed, 0, 36, into, 0, bytes(16))).toBe(false)
    expect(openBrief(key, nonce, sealed, 0, 36, into, 0)).toBe(false)
    expect(openBrief(key, bytes(12), sealed, 0, 36, into, 0, aad)).toBe(false)
    expect(openBrief(bytes(16), nonce, sealed, 0, 36, into, 0, aad)).toBe(false)
    expect(openBrief(key, nonce, sealed, 0, 15, into, 0, aad)).toBe(false)
    expect(into).toEqual(new Uint8Array(20).fill(7))
  })
})

it('gives way to Node without a difference, by length and by number', () => {
  const key = bytes(16)
  const [sealing, opening] = [createAead('aes-128-gcm', key), createAead('aes-128-gcm', key)]
  for (let i = 0; i < 20; i++) {
    const [nonce, plain] = [bytes(12), bytes(i % 3 === 2 ? 129 : i)]
    const wanted = new Uint8Array(5 + plain.length + 16)
    const sealed = wanted.slice()
    sealByNode(key, nonce, plain, undefined, wanted)
    expect(sealing.seal(nonce, plain, sealed, 5)).toBe(plain.length + 16)
    expect(sealed).toEqual(wanted)
    const opened = new Uint8Array(3 + plain.length)
    expect(opening.open(nonce, sealed.subarray(5), opened, 3)).toBe(plain.length)
    expect(opened.subarray(3)).toEqual(plain)
  }
})

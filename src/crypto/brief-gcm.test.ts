import { describe, expect, it } from 'vitest'
import { fakeRandom } from '../testing/fakes.ts'
import { createAead } from './aead.ts'
import { openBrief, sealBrief } from './brief-gcm.ts'

const random = fakeRandom(3)
const bytes = (length: number) => random.fill(new Uint8Array(length))

describe('AES-128-GCM for a message or two', () => {
  it('is that of Node, of every length around its blocks, with and without additional data', () => {
    for (let length = 0; length <= 70; length++) {
      for (const aad of [undefined, bytes(16), bytes(length % 23)]) {
        const [key, nonce, plain] = [bytes(16), bytes(12), bytes(length)]
        const wanted = new Uint8Array(length + 16 + 8).fill(1)
        const sealed = wanted.slice()
        createAead('aes-128-gcm', key).seal(nonce, plain, wanted, 5, aad)
        sealBrief(key, nonce, plain, sealed, 5, aad)
        expect(sealed).toEqual(wanted)
        const opened = new Uint8Array(length)
        expect(openBrief(key, nonce, sealed, 5, sealed.length - 3, opened, aad)).toBe(true)
        expect(opened).toEqual(plain)
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
      expect(openBrief(key, nonce, changed, 0, 36, into, aad)).toBe(false)
    }
    expect(openBrief(key, nonce, sealed, 0, 36, into, bytes(16))).toBe(false)
    expect(openBrief(key, nonce, sealed, 0, 36, into)).toBe(false)
    expect(openBrief(key, bytes(12), sealed, 0, 36, into, aad)).toBe(false)
    expect(openBrief(bytes(16), nonce, sealed, 0, 36, into, aad)).toBe(false)
    expect(openBrief(key, nonce, sealed, 0, 15, into, aad)).toBe(false)
    expect(into).toEqual(new Uint8Array(20).fill(7))
  })
})

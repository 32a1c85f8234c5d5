import { describe, expect, it } from 'vitest'
import { createCfb } from './cfb.ts'

/** NIST SP 800-38A, F.3.13. */
const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex')
const iv = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const plain = Buffer.from(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  'hex',
)
const sealed = Buffer.from(
  '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6',
  'hex',
)

describe.each([
  ['encrypt', plain, sealed],
  ['decrypt', sealed, plain],
] as const)('%s', (direction, input, output) => {
  it('follows the published example', () => {
    const into = new Uint8Array(70).fill(1)
    createCfb(direction, key, iv).update(input, into, 4)
    expect(Buffer.from(into.subarray(4, 68))).toEqual(output)
    expect([into[3], into[68]]).toEqual([1, 1])
  })

  it.each([1, 3, 16, 17])('goes on where it stopped: %i bytes at a time', (step) => {
    const cfb = createCfb(direction, key, iv)
    const into = new Uint8Array(64)
    for (let at = 0; at < 64; at += step) cfb.update(input.subarray(at, at + step), into, at)
    expect(Buffer.from(into)).toEqual(output)
  })

  it('works in place', () => {
    const bytes = new Uint8Array(input)
    createCfb(direction, key, iv).update(bytes, bytes, 0)
    expect(Buffer.from(bytes)).toEqual(output)
  })
})

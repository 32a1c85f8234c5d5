/** The seals of headers by the native twin beside those by TypeScript: the same bytes, in all pairings. */
import { describe, expect, it } from 'vitest'
import { native, skipped } from '../../../../test/support/twin.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import { type HeaderSeals, headerSeals, requestHead, responseHead, typescriptSeals } from './header-seals.ts'

const random = fakeRandom(15)
const bytes = (length: number) => random.fill(new Uint8Array(length))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')
const [key, iv, authId, nonce] = [bytes(16), bytes(16), bytes(16), bytes(8)] as const
const lengths = [0, 1, 15, 16, 17, 40, 63, 64, 65, 400]
const both: readonly HeaderSeals[] = native ? [native, typescriptSeals] : [typescriptSeals]
const pairings = both.flatMap((sealer) => both.map((opener) => [sealer, opener] as const))

function sealedRequest(by: HeaderSeals, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(58 + plain.length)
  by.sealRequest(key, authId, nonce, plain, wire)
  return wire
}

function sealedResponse(by: HeaderSeals, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(34 + plain.length)
  by.sealResponse(key, iv, plain, wire)
  return wire
}

it('are the twin where it is there', () => {
  expect(headerSeals()).toBe(native ?? typescriptSeals)
})

describe(`seals of headers${skipped}`, () => {
  it.each(pairings)('open what was sealed, pairing %#', (sealer, opener) => {
    for (const length of lengths) {
      const plain = bytes(length)
      const request = sealedRequest(sealer, plain)
      const opened = new Uint8Array(length)
      expect(opener.openRequestLength(key, request.subarray(0, requestHead))).toBe(length)
      expect(opener.openRequest(key, request, opened)).toBe(true)
      expect(hex(opened)).toBe(hex(plain))
      const response = sealedResponse(sealer, plain)
      opened.fill(0)
      expect(opener.openResponseLength(key, iv, response.subarray(0, responseHead))).toBe(length)
      expect(opener.openResponse(key, iv, response.subarray(responseHead), opened)).toBe(true)
      expect(hex(opened)).toBe(hex(plain))
    }
  })

  it.each(both)('refuse every damaged bit, %#', (seals) => {
    const [request, response] = [sealedRequest(seals, bytes(9)), sealedResponse(seals, bytes(4))]
    for (let bit = 0; bit < 8 * request.length; bit++) {
      const wire = request.slice()
      wire[bit >> 3]! ^= 1 << (bit & 7)
      const authentic = [seals.openRequestLength(key, wire) === 9, seals.openRequest(key, wire, new Uint8Array(9))]
      const [at, inBoth] = [bit >> 3, bit >> 3 < 16 || (bit >> 3 >= 34 && bit >> 3 < 42)]
      expect(authentic).toEqual([!inBoth && at >= 42, !inBoth && at < 42])
    }
    for (let bit = 0; bit < 8 * response.length; bit++) {
      const wire = response.slice()
      wire[bit >> 3]! ^= 1 << (bit & 7)
      const [length, fields] = [wire.subarray(0, responseHead), wire.subarray(responseHead)]
      expect(seals.openResponseLength(key, iv, length)).toBe(bit >> 3 < responseHead ? -1 : 4)
      expect(seals.openResponse(key, iv, fields, new Uint8Array(4))).toBe(bit >> 3 < responseHead)
    }
  })

  it.skipIf(!native)('write the same and derive the same', () => {
    for (const length of lengths) {
      const plain = bytes(length)
      expect(hex(sealedRequest(native!, plain))).toBe(hex(sealedRequest(typescriptSeals, plain)))
      expect(hex(sealedResponse(native!, plain))).toBe(hex(sealedResponse(typescriptSeals, plain)))
      const source = bytes(16)
      for (const derive of ['authIdKey', 'lengthKey'] as const) {
        const [one, other] = both.map((by) => {
          const into = new Uint8Array(16)
          by[derive](source, into)
          return hex(into)
        })
        expect(one).toBe(other)
      }
    }
  })

  it.skipIf(!native)('never reach outside of the memory that the twin is given', () => {
    const short = new Uint8Array(15)
    const calls: (() => unknown)[] = [
      () => native!.authIdKey(short, key),
      () => native!.lengthKey(key, short),
      () => native!.sealRequest(short, authId, nonce, iv, new Uint8Array(100)),
      () => native!.sealRequest(key, short, nonce, iv, new Uint8Array(100)),
      () => native!.sealRequest(key, authId, short.subarray(8), iv, new Uint8Array(100)),
      () => native!.sealRequest(key, authId, nonce, iv, new Uint8Array(58 + 15)),
      () => native!.openRequestLength(short, new Uint8Array(42)),
      () => native!.openRequestLength(key, new Uint8Array(41)),
      () => native!.openRequest(short, new Uint8Array(58), short),
      () => native!.openRequest(key, new Uint8Array(57), short),
      () => native!.openRequest(key, new Uint8Array(74), short),
      () => native!.sealResponse(short, iv, key, new Uint8Array(100)),
      () => native!.sealResponse(key, short, key, new Uint8Array(100)),
      () => native!.sealResponse(key, iv, key, new Uint8Array(34 + 15)),
      () => native!.openResponseLength(short, iv, new Uint8Array(18)),
      () => native!.openResponseLength(key, iv, new Uint8Array(17)),
      () => native!.openResponse(key, short, new Uint8Array(18), iv),
      () => native!.openResponse(key, iv, short, iv),
      () => native!.openResponse(key, iv, new Uint8Array(32), short),
    ]
    for (const call of calls) expect(call).toThrow(RangeError)
    expect(() => native!.openResponse(key, iv, 'text' as never, iv)).toThrow(TypeError)
    expect(short.every((byte) => byte === 0)).toBe(true)
  })
})

import { createDecipheriv } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native, skipped } from '../../../test/support/twin.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { aesEncryptor } from '../aes-block.ts'
import { createKeySearch } from './create.ts'
import type { KeySearch } from './model.ts'
import { TableKeySearch } from './table.ts'
import { TwinKeySearch } from './twin.ts'

const random = fakeRandom(3)
const bytes = (length: number) => random.fill(new Uint8Array(length))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')

/** A block that proves itself. @param head 12 bytes */
function proven(head: Uint8Array): Uint8Array {
  const block = Buffer.alloc(16)
  block.set(head)
  block.writeUInt32BE(crc32(head), 12)
  return block
}

const seal = (key: Uint8Array, head: Uint8Array = bytes(12)): Uint8Array => aesEncryptor(key)(proven(head))

function opened(key: Uint8Array, block: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  return Buffer.concat([decipher.update(block), decipher.final()])
}

/** What the search does, word by word. */
function naive(keys: readonly (Uint8Array | undefined)[], block: Uint8Array, from: number, to: number): number {
  for (let slot = from; slot < Math.min(to, keys.length); slot++) {
    const key = keys[slot]
    if (!key) continue
    const plain = opened(key, block)
    if (crc32(plain.subarray(0, 12)) === plain.readUInt32BE(12)) return slot
  }
  return -1
}

const implementations: readonly (readonly [string, () => KeySearch])[] = [
  ['by tables', () => new TableKeySearch()],
  ...(native?.search ? [['by the native twin', () => new TwinKeySearch(native!.search!)] as const] : []),
]

it('is made by the twin where there is one', () => {
  expect(createKeySearch()).toBeInstanceOf(native?.search ? TwinKeySearch : TableKeySearch)
})

describe.each(implementations)(`a search for a key %s${skipped}`, (_name, createSearch) => {
  it('opens blocks as FIPS 197 says, in place too', () => {
    const search = createSearch()
    search.set(
      2,
      Uint8Array.from({ length: 16 }, (_, i) => i),
    )
    const block = Buffer.from('69c4e0d86a7b0430d8cdb78070b4c55a', 'hex')
    search.open(2, block, block)
    expect(hex(block)).toBe('00112233445566778899aabbccddeeff')
  })

  it('opens as the library does', () => {
    const search = createSearch()
    for (let i = 0; i < 300; i++) {
      const [key, block, into] = [bytes(16), bytes(16), new Uint8Array(16)]
      search.set(0, key)
      search.open(0, block, into)
      expect(hex(into)).toBe(hex(opened(key, block)))
    }
  })

  it('finds every key, whatever its block holds', () => {
    const search = createSearch()
    const keys = Array.from({ length: 100 }, () => bytes(16))
    for (const [slot, key] of keys.entries()) search.set(slot, key)
    for (const [slot, key] of keys.entries()) {
      const block = seal(key, slot % 3 === 0 ? new Uint8Array(12) : bytes(12))
      expect(search.find(block, 0, keys.length)).toBe(slot)
      expect(search.find(block, slot, slot + 1)).toBe(slot)
      expect(search.find(block, slot + 1, keys.length)).toBe(-1)
      expect(search.find(block, 0, slot)).toBe(-1)
      expect(search.matches(slot, block)).toBe(true)
      expect(search.matches((slot + 1) % keys.length, block)).toBe(false)
    }
  })

  it('heeds all 32 bits of the checksum', () => {
    const key = bytes(16)
    const search = createSearch()
    search.set(0, key)
    for (let bit = 0; bit < 128; bit++) {
      const plain = proven(bytes(12))
      plain[bit >> 3]! ^= 1 << (bit & 7)
      expect(search.find(aesEncryptor(key)(plain), 0, 1)).toBe(-1)
    }
  })

  it('knows nothing in slots that were never set, or were cleared', () => {
    const search = createSearch()
    expect(search.find(bytes(16), 0, 10)).toBe(-1)
    const key = bytes(16)
    search.set(1000, key)
    expect(search.find(seal(key), 0, 2000)).toBe(1000)
    search.clear(1000)
    search.clear(99_999)
    expect(search.find(seal(key), 0, 2000)).toBe(-1)
    expect(search.matches(1000, seal(key))).toBe(false)
    search.set(3, key)
    expect(search.find(seal(key), 0, 2000)).toBe(3)
  })

  it('is what a naive search is, after any changes', () => {
    const pool = Array.from({ length: 12 }, () => bytes(16))
    const change = fc.record({ slot: fc.nat(40), key: fc.option(fc.nat(11), { nil: undefined }) })
    const ask = fc.record({ sealedWith: fc.nat(11), head: fc.uint8Array({ minLength: 12, maxLength: 12 }) })
    const range = fc.tuple(fc.nat(45), fc.nat(45))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), ask, range, (changes, { sealedWith, head }, [from, to]) => {
        const search = createSearch()
        const keys: (Uint8Array | undefined)[] = []
        for (const { slot, key } of changes) {
          keys[slot] = key === undefined ? undefined : pool[key]
          if (key === undefined) search.clear(slot)
          else search.set(slot, pool[key]!)
        }
        const block = seal(pool[sealedWith]!, head)
        expect(search.find(block, from, to)).toBe(naive(keys, block, from, to))
      }),
    )
  })
})

import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { Shake128 } from './shake128.ts'

it.each([0, 1, 3, 16, 100, 166])('yields the output over a seed of %i bytes, far beyond one block', (length) => {
  const seed = Uint8Array.from({ length }, (_, i) => i * 7 + 1)
  const expected = createHash('shake128', { outputLength: 4000 }).update(seed).digest()
  const shake = new Shake128(seed)
  for (let i = 0; i < 4000; i += 2) expect(shake.next()).toBe(expected.readUInt16BE(i))
})

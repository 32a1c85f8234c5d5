import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeControl, encodeControl, fillerMax } from './control.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('control messages', () => {
  it('are those of V2Ray', () => {
    expect(hex(encodeControl('active', Uint8Array.of(0xaa)))).toBe('9a0601aa')
    expect(hex(encodeControl('drain', Uint8Array.of(0xaa, 0xbb)))).toBe('08019a0602aabb')
  })

  it('come back as they went, whatever the filler', () => {
    const filler = fc.uint8Array({ minLength: 1, maxLength: fillerMax })
    fc.assert(
      fc.property(fc.constantFrom('active' as const, 'drain' as const), filler, (state, bytes) => {
        expect(decodeControl(encodeControl(state, bytes))).toBe(state)
      }),
    )
  })

  it.each([
    ['nothing at all', '', 'active'],
    ['the state behind the filler', '9a0601aa0801', 'drain'],
    ['fields of other versions', '1005 2a0161 3900000000000000ff 4500000000 0801', 'drain'],
    ['a state that nobody knows', '0807', 'drain'],
  ])('may be %s', (_what, text, state) => {
    expect(decodeControl(Buffer.from(text.replaceAll(' ', ''), 'hex'))).toBe(state)
  })

  it.each([
    ['a number that is cut off', '08', 'TRUNCATED'],
    ['a filler that is cut off', '9a0605aa', 'TRUNCATED'],
    ['a number without an end', 'ff'.repeat(11), 'MUX_MALFORMED'],
    ['an unknown wire type', '0b', 'MUX_MALFORMED'],
  ])('are refused with %s', (_what, text, code) => {
    expect(() => decodeControl(Buffer.from(text, 'hex'))).toThrow(expect.objectContaining({ code }))
  })

  it('may be any bytes without a throw of another kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeControl(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(TRUNCATED|MUX_MALFORMED)$/) })
        }
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader } from './body-reader.ts'
import { chunkRoom, lastChunk, writeChunk } from './chunk.ts'
import { bytesOf, textOf } from './text.ts'

function readIn(reader: BodyReader, text: string, cuts: readonly number[]): string {
  let content = ''
  let at = 0
  for (const cut of [...cuts, text.length]) {
    content += textOf(reader.read(bytesOf(text.slice(at, cut))))
    at = cut
  }
  return content
}
const everywhere = (text: string) => [...text].map((_, i) => i)
const chunked = '5;x="y"\r\nhello\r\n00006 \r\n world\r\n0\r\nx-sum: 1\r\n\r\nrest'

describe('BodyReader', () => {
  it('takes chunk lines out in place, wherever it is cut', () => {
    for (const cuts of [[], everywhere(chunked), ...everywhere(chunked).map((cut) => [cut])]) {
      const reader = new BodyReader('request', { kind: 'chunked' })
      expect(readIn(reader, chunked, cuts)).toBe('hello world')
      expect(reader.done).toBe(true)
      reader.end()
    }
  })

  it('reads what the writer of chunks has written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })),
        fc.integer({ min: 1, max: 97 }),
        (parts, most) => {
          const wire = parts.map((part) => {
            const into = new Uint8Array(chunkRoom(part.length))
            return into.slice(0, writeChunk(part, into))
          })
          const whole = Buffer.concat([...wire, lastChunk])
          const reader = new BodyReader('response', { kind: 'chunked' })
          const out: Uint8Array[] = []
          for (let at = 0; at < whole.length; at += most)
            out.push(reader.read(Uint8Array.from(whole.subarray(at, at + most))).slice())
          expect(Buffer.concat(out)).toEqual(Buffer.concat(parts))
          expect(reader.done).toBe(true)
        },
      ),
    )
  })

  it('counts a length, takes all until the end, or nothing', () => {
    const length = new BodyReader('request', { kind: 'length', length: 3 })
    expect([readIn(length, 'abcd', [1]), length.done]).toEqual(['abc', true])
    const close = new BodyReader('response', { kind: 'close' })
    expect([readIn(close, 'abcd', [2]), close.done]).toEqual(['abcd', false])
    close.end()
    expect(close.done).toBe(true)
    expect(new BodyReader('request', { kind: 'none' }).done).toBe(true)
  })

  it('tells a body that is cut off', () => {
    for (const framing of [{ kind: 'length', length: 2 }, { kind: 'chunked' }] as const) {
      const reader = new BodyReader('request', framing)
      reader.read(bytesOf('1'))
      expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
    }
  })

  it.each([
    ['no size', '\r\n'],
    ['a size that is no number', 'xyz\r\n'],
    ['a negative size', '-1\r\n'],
    ['a huge size', '1000000000000\r\n'],
    ['data longer than its size', '1\r\nxy\r\n'],
    ['a line without end', `1;${'x'.repeat(5000)}`],
    ['endless trailers', `0\r\n${`A: ${'x'.repeat(4000)}\r\n`.repeat(3)}`],
  ])('refuses %s', (_, text) => {
    for (const cuts of [[], everywhere(text)])
      expect(() => readIn(new BodyReader('request', { kind: 'chunked' }), text, cuts)).toThrow(
        expect.objectContaining({ code: 'HTTP_BAD_REQUEST' }),
      )
  })
})

import { expect, it } from 'vitest'
import { bytesOf, textOf } from './text.ts'
import { UnsureBody } from './unsure-body.ts'

function relay(input: string, size: number): { out: string; done: boolean } {
  const body = new UnsureBody()
  let out = ''
  for (let at = 0; at < input.length && !body.done; at += size) {
    out += textOf(body.push(bytesOf(input.slice(at, at + size))).out)
  }
  const { done } = body
  if (!done) out += textOf(body.end())
  expect(body.done).toBe(true)
  return { out, done }
}

it.each([
  ['chunks', '5\r\nhello\r\n0\r\n\r\n', 'hello', true],
  ['chunks with LF and a size filled up with blanks', '0005   \nhello\n0\n\n', 'hello', true],
  ['text', 'hello', 'hello', false],
  ['text that begins as a size', 'feed me\r\n', 'feed me\r\n', false],
  ['a line that could be a size but has more digits', `${'a'.repeat(30)}\r\n`, `${'a'.repeat(30)}\r\n`, false],
  ['only the beginning of a size', 'fee', 'fee', false],
  ['nothing', '', '', false],
])('takes %s for what it is', (_, input, out, done) => {
  for (const size of [1, 2, 3, 100]) expect(relay(input, size)).toEqual({ out, done })
})

it('says what of its bytes belongs to the body, and what is missing', () => {
  const body = new UnsureBody()
  expect(body.push(bytesOf('0')).used).toBe(1)
  expect(body.push(bytesOf('\r\n\r\nrest')).used).toBe(4)
  const cut = new UnsureBody()
  cut.push(bytesOf('5\r\nhel'))
  expect(() => cut.end()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
})

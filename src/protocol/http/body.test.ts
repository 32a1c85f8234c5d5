import { describe, expect, it } from 'vitest'
import { BodyRelay } from './body.ts'
import { type Framing, requestFraming, responseFraming } from './framing.ts'
import type { Header } from './headers.ts'
import type { MessageKind } from './problems.ts'
import { bytesOf, textOf } from './text.ts'

const badRequest = expect.objectContaining({ code: 'HTTP_BAD_REQUEST' })
const badResponse = expect.objectContaining({ code: 'HTTP_BAD_RESPONSE' })
const headers = (...lines: [string, string][]): Header[] => lines.map(([name, value]) => ({ name, value }))
const ask = (lines: [string, string][], minor: 0 | 1 = 1) =>
  requestFraming({ method: 'POST', target: '/', minor, headers: headers(...lines) })
const respond = (status: number, method: string, lines: [string, string][] = [], minor: 0 | 1 = 1) =>
  responseFraming({ status, reason: '', minor, headers: headers(...lines) }, method)

describe('framing', () => {
  it('of a request', () => {
    expect(ask([])).toEqual({ kind: 'none' })
    expect(ask([['Content-Length', '10']])).toEqual({ kind: 'length', length: 10 })
    expect(ask([['Transfer-Encoding', ' Chunked ']])).toEqual({ kind: 'chunked' })
  })

  it('takes a length that is repeated, but not two', () => {
    expect(
      ask([
        ['Content-Length', '3'],
        ['Content-Length', '3'],
      ]),
    ).toEqual({ kind: 'length', length: 3 })
    expect(ask([['Content-Length', '3, 3']])).toEqual({ kind: 'length', length: 3 })
    expect(() => ask([['Content-Length', '3, 4']])).toThrow(badRequest)
    expect(() =>
      ask([
        ['Content-Length', '3'],
        ['Content-Length', '4'],
      ]),
    ).toThrow(badRequest)
  })

  it.each(['-1', '+3', '3 4', '0x3', '', '3,', '3\xa0', '9999999999999999'])('refuses the length %j', (value) => {
    expect(() => ask([['Content-Length', value]])).toThrow(badRequest)
  })

  it.each([
    'gzip',
    'chunked, chunked',
    'gzip, chunked',
    'chunked, identity',
    'xchunked',
    '',
  ])('refuses the coding %j', (value) => {
    expect(() => ask([['Transfer-Encoding', value]])).toThrow(badRequest)
  })

  it('refuses a coding beside a length, and in HTTP/1.0', () => {
    expect(() =>
      ask([
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '3'],
      ]),
    ).toThrow(badRequest)
    expect(() => ask([['Transfer-Encoding', 'chunked']], 0)).toThrow(badRequest)
  })

  it('of a response: until the end unless something else is said, and none where there cannot be one', () => {
    expect(respond(200, 'GET')).toEqual({ kind: 'close' })
    expect(respond(200, 'GET', [['Content-Length', '0']])).toEqual({ kind: 'length', length: 0 })
    expect(respond(200, 'GET', [['Transfer-Encoding', 'chunked']])).toEqual({ kind: 'chunked' })
    expect(respond(200, 'HEAD', [['Content-Length', '9']])).toEqual({ kind: 'none' })
    expect(respond(204, 'GET')).toEqual({ kind: 'none' })
    expect(respond(304, 'GET', [['Content-Length', '9']])).toEqual({ kind: 'none' })
    expect(respond(100, 'GET')).toEqual({ kind: 'none' })
    expect(() => respond(200, 'HEAD', [['Content-Length', 'x']])).toThrow(badResponse)
  })

  it('of a response: a coding goes before a length, an empty length is none, and so is the coding identity', () => {
    const both: [string, string][] = [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
    ]
    expect(respond(200, 'GET', both)).toEqual({ kind: 'chunked' })
    expect(respond(200, 'GET', [...both, ['Transfer-Encoding', 'Chunked']])).toEqual({ kind: 'chunked' })
    expect(respond(200, 'GET', both, 0)).toEqual({ kind: 'unsure' })
    expect(respond(200, 'GET', [['Content-Length', '']])).toEqual({ kind: 'close' })
    expect(respond(200, 'GET', [['Content-Length', '3,']])).toEqual({ kind: 'length', length: 3 })
    const identity: [string, string] = ['Transfer-Encoding', 'identity']
    expect(respond(200, 'GET', [identity])).toEqual({ kind: 'close' })
    expect(respond(200, 'GET', [identity, ['Content-Length', '3']])).toEqual({ kind: 'length', length: 3 })
    for (const coding of ['gzip', 'gzip, chunked', 'xchunked'])
      expect(() => respond(200, 'GET', [['Transfer-Encoding', coding]])).toThrow(badResponse)
    expect(() => respond(200, 'GET', [['Content-Length', '3, 4']])).toThrow(badResponse)
  })
})

interface Relayed {
  readonly out: string
  readonly rest: string
  readonly done: boolean
}

function relay(
  framing: Framing,
  input: string,
  cuts: readonly number[],
  plain = false,
  kind: MessageKind = 'request',
): Relayed {
  const body = new BodyRelay(kind, framing, { plain })
  let out = ''
  let at = 0
  for (const cut of [...cuts, input.length]) {
    if (body.done) break
    const piece = bytesOf(input.slice(at, cut))
    const step = body.push(piece)
    out += textOf(step.out)
    at += step.used
    if (!body.done) expect(step.used).toBe(piece.length)
  }
  return { out, rest: input.slice(at), done: body.done }
}

const places = (text: string) => [...text].map((_, i) => i).slice(1)

describe('BodyRelay', () => {
  it('counts a length', () => {
    const input = 'abcdefrest'
    for (const cuts of [[], [3], [6], places(input)]) {
      expect(relay({ kind: 'length', length: 6 }, input, cuts)).toEqual({ out: 'abcdef', rest: 'rest', done: true })
    }
    expect(new BodyRelay('request', { kind: 'length', length: 0 }).done).toBe(true)
    expect(new BodyRelay('request', { kind: 'none' }).done).toBe(true)
  })

  it('is done at the end of the connection with framing close, and truncated with any other', () => {
    const close = new BodyRelay('request', { kind: 'close' })
    expect(textOf(close.push(bytesOf('abc')).out)).toBe('abc')
    close.end()
    expect(close.done).toBe(true)
    for (const framing of [{ kind: 'length', length: 2 }, { kind: 'chunked' }] as const) {
      const body = new BodyRelay('request', framing)
      body.push(bytesOf('1'))
      expect(() => body.end()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
    }
  })

  const chunked = '5;x="y"\r\nhello\r\n00006 \r\n world\r\n0\r\nx-sum: 1\r\nContent-Length: 9\r\nTE: x\r\n\r\nrest'

  it('passes chunks on, without extensions, and trailers without what would change the framing', () => {
    const whole = relay({ kind: 'chunked' }, chunked, [])
    expect(whole).toEqual({ out: '5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n', rest: 'rest', done: true })
  })

  it('gives the same content however chunks are cut', () => {
    const content = (text: string) => relay({ kind: 'chunked' }, text, [], true).out
    for (const cuts of [...places(chunked).map((cut) => [cut]), places(chunked)]) {
      const { out, rest, done } = relay({ kind: 'chunked' }, chunked, cuts)
      expect({ content: content(out), rest, done }).toEqual({ content: 'hello world', rest: 'rest', done: true })
    }
  })

  it('can take the chunk lines out', () => {
    expect(relay({ kind: 'chunked' }, chunked, places(chunked), true)).toEqual({
      out: 'hello world',
      rest: 'rest',
      done: true,
    })
  })

  it.each([
    ['no size', '\r\n'],
    ['a size that is no number', 'xyz\r\n'],
    ['a negative size', '-1\r\n'],
    ['a huge size', '1000000000000\r\n'],
    ['a bare line feed', '1\nx'],
    ['a bare carriage return', '1\rx'],
    ['data longer than its size', '1\r\nxy\r\n'],
    ['a line without end', `1;${'x'.repeat(5000)}`],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['endless trailers', `0\r\n${`A: ${'x'.repeat(4000)}\r\n`.repeat(17)}`],
  ])('refuses %s', (_, input) => {
    expect(() => relay({ kind: 'chunked' }, input, [])).toThrow(badRequest)
    expect(() => relay({ kind: 'chunked' }, input, places(input))).toThrow(badRequest)
  })

  it('takes line ends without CR from a response only, and writes them anew', () => {
    const input = '5\nhello\n0003\r\n wo\n0\nX-A: 1\n  2\nBad Name: x\nX-B\t: \0b\n\nrest'
    for (const cuts of [[], places(input)]) {
      const seen = relay({ kind: 'chunked' }, input, cuts, true, 'response')
      expect(seen).toEqual({ out: 'hello wo', rest: 'rest', done: true })
    }
    expect(relay({ kind: 'chunked' }, input, [], false, 'response').out).toBe(
      '5\r\nhello\r\n3\r\n wo\r\n0\r\nX-A: 1 2\r\nX-B: b\r\n\r\n',
    )
  })
})

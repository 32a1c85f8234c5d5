import { describe, expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { parseRequestHead, parseResponseHead } from './head.ts'
import { HeadCollector } from './head-collector.ts'
import { bytesOf, textOf } from './text.ts'

type Kind = 'request' | 'response'

/** Collects a head from pieces that end at `cuts`; the text of the head and of what follows. */
function collect(kind: Kind, text: string, cuts: readonly number[] = []): { head: string; rest: string } | undefined {
  const collector = new HeadCollector(kind)
  const bytes = bytesOf(text)
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    const { used, complete } = collector.push(bytes.slice(at, cut))
    if (complete) return { head: textOf(collector.head), rest: text.slice(at + used) }
    at = cut
  }
  return undefined
}

function everySplit(kind: Kind, text: string): { head: string; rest: string } | undefined {
  const whole = collect(kind, text)
  for (let cut = 1; cut < text.length; cut++) expect(collect(kind, text, [cut])).toEqual(whole)
  expect(collect(kind, text, [...text].map((_, i) => i).slice(1))).toEqual(whole)
  return whole
}

const badRequest = expect.objectContaining({ code: 'HTTP_BAD_REQUEST' })
const badResponse = expect.objectContaining({ code: 'HTTP_BAD_RESPONSE' })
const request = (text: string) => parseRequestHead(bytesOf(collect('request', text)!.head))
const response = (text: string) => parseResponseHead(bytesOf(collect('response', text)!.head))

describe('HeadCollector', () => {
  it('ends at the empty line, wherever the input is cut', () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    expect(everySplit('request', `${head}rest\r\n\r\n`)).toEqual({ head, rest: 'rest\r\n\r\n' })
    expect(everySplit('request', head.slice(0, -1))).toBeUndefined()
  })

  it('skips empty lines in front of a request', () => {
    expect(everySplit('request', '\r\n\r\nGET / HTTP/1.1\r\n\r\n')).toEqual({
      head: 'GET / HTTP/1.1\r\n\r\n',
      rest: '',
    })
    const collector = new HeadCollector('request')
    collector.push(bytesOf('\r\n'))
    expect(collector.started).toBe(false)
  })

  it('takes bare line feeds', () => {
    expect(everySplit('response', 'HTTP/1.1 403 Forbidden\nA: b\n\n\n')).toEqual({
      head: 'HTTP/1.1 403 Forbidden\nA: b\n\n',
      rest: '\n',
    })
    const request = 'GET / HTTP/1.1\nA: b\r\n\n'
    expect(everySplit('request', `\n${request}rest`)).toEqual({ head: request, rest: 'rest' })
  })

  it.each([
    ['a bare carriage return', 'GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n'],
    ['a zero byte', 'GET / HTTP/1.1\r\nA: b\0\r\n\r\n'],
    ['DEL', 'GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00'],
  ])('refuses %s at once', (_, text) => {
    expect(() => collect('request', text)).toThrow(badRequest)
  })

  it('recognises an answer that is not HTTP by its first bytes', () => {
    expect(() => collect('response', 'SSH')).toThrow(badResponse)
    expect(() => collect('response', 'HTTP/2')).toThrow(badResponse)
    expect(collect('response', 'HTTP/1.')).toBeUndefined()
  })

  it('takes a head of the limit and not one byte more', () => {
    const frame = 'GET / HTTP/1.1\r\nA: \r\n\r\n'
    const fill = (length: number) => frame.replace('A: ', `A: ${'x'.repeat(length - frame.length)}`)
    expect(collect('request', fill(limits.requestHeadMax))).toBeDefined()
    expect(() => collect('request', fill(limits.requestHeadMax + 1))).toThrow(
      expect.objectContaining({ code: 'HTTP_BAD_REQUEST', status: 431 }),
    )
    const answer = (length: number) => fill(length).replace('GET / HTTP/1.1', 'HTTP/1.1 200 OK'.slice(0, 14))
    expect(limits.responseHeadMax).toBe(256 * 1024)
    expect(collect('response', answer(limits.responseHeadMax))).toBeDefined()
    expect(() => collect('response', answer(limits.responseHeadMax + 1))).toThrow(badResponse)
  })

  it('knows whether the sender speaks HTTP', () => {
    const begins = (text: string) => {
      const collector = new HeadCollector('request')
      collector.push(bytesOf(text))
      return collector.beginsAsRequest
    }
    expect(['GET /', 'PRI * HTTP/2.0'].map(begins)).toEqual([true, true])
    expect(['', 'GET', '\r\n', '<policy-file-request/>', 'G(T x'].map(begins)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })
})

describe('parseRequestHead', () => {
  it('reads the line and the headers, in canonical case and without white space around', () => {
    expect(request('get-x http://a/b HTTP/1.0\r\nx-LOWER:\t v w \r\nÄ-B: \xe4\r\n\r\n'.replace('Ä', 'A'))).toEqual({
      method: 'get-x',
      target: 'http://a/b',
      minor: 0,
      headers: [
        { name: 'X-Lower', value: 'v w' },
        { name: 'A-B', value: '\xe4' },
      ],
    })
    expect(request('GET / HTTP/1.7\r\nA:\r\n\r\n')).toMatchObject({ minor: 1, headers: [{ name: 'A', value: '' }] })
  })

  it('lets every byte from 80 to FF through', () => {
    const bytes = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i))
    expect(request(`GET http://h/${bytes} HTTP/1.1\r\nX: a${bytes}\r\n\r\n`)).toMatchObject({
      target: `http://h/${bytes}`,
      headers: [{ value: `a${bytes}` }],
    })
    expect(request('GET / HTTP/1.1\r\nX: \xa0\x85\r\n\r\n')).toMatchObject({ headers: [{ value: '\xa0\x85' }] })
  })

  it('says what it refuses', () => {
    const why = (text: string) => {
      try {
        return request(`${text}\r\n\r\n`)
      } catch (error) {
        return [(error as { status: number }).status, (error as Error).message]
      }
    }
    const cannot = 'the request cannot be served:'
    expect(why('GET / HTTP/1.1\r\nA: b\r\n c')).toEqual([400, `${cannot} a folded header line`])
    expect(why('GET / HTTP/1.1\r\nA\t: b')).toEqual([400, `${cannot} a blank before the colon of a header`])
    expect(why('GET / HTTP/1.1\r\nA')).toEqual([400, `${cannot} a header name`])
    expect(why('GET /a b HTTP/1.1')).toEqual([400, `${cannot} its first line`])
    expect(why('PRI * HTTP/2.0')).toEqual([505, 'this proxy speaks HTTP/1.1 and HTTP/1.0'])
  })

  it.each([
    'GET  / HTTP/1.1',
    'GET / HTTP/1.1 ',
    ' GET / HTTP/1.1',
    'GET /',
    'GET / HTTP/2.0',
    'GET / http/1.1',
    'GET / x HTTP/1.1',
    'G:T / HTTP/1.1',
    'GET / HTTP/1.1\r\nA b: c',
    'GET / HTTP/1.1\r\nA : c',
    'GET / HTTP/1.1\r\n: c',
    'GET / HTTP/1.1\r\nA: b\r\n folded',
    'GET / HTTP/1.1\r\nA: b\r\n\tfolded',
    'GET / HTTP/1.1\r\nA',
  ])('refuses %j', (text) => {
    expect(() => request(`${text}\r\n\r\n`)).toThrow(badRequest)
  })
})

describe('parseResponseHead', () => {
  it('reads the status with and without a reason', () => {
    expect(response('HTTP/1.1 404 Not Found here\r\na: b\r\n\r\n')).toEqual({
      status: 404,
      reason: 'Not Found here',
      minor: 1,
      headers: [{ name: 'A', value: 'b' }],
    })
    expect(response('HTTP/1.0 200\r\n\r\n')).toMatchObject({ status: 200, reason: '', minor: 0 })
    expect(response('HTTP/1.1  200 \t OK \r\n\r\n')).toMatchObject({ status: 200, reason: 'OK' })
  })

  it('takes what has one meaning and drops the other lines', () => {
    const lines = [
      ' lost: 1',
      'X: a',
      '  b',
      '\tc',
      'Server : x',
      'Bad Name: x',
      ' of it',
      'none',
      ': x',
      'Y:\ra\0b\x01',
    ]
    expect(response(`HTTP/1.1 200 O\0K\r\n${lines.join('\r\n')}\r\n\r\n`)).toEqual({
      status: 200,
      reason: 'O K',
      minor: 1,
      headers: [
        { name: 'X', value: 'a b c' },
        { name: 'Server', value: 'x' },
        { name: 'Y', value: 'a b\x01' },
      ],
    })
  })

  it.each(['HTTP/1.1 20 OK', 'HTTP/1.1 099 X', 'HTTP/1.x 200 OK', 'HTTP/1.1 2000 OK'])('refuses %j', (line) => {
    expect(() => response(`${line}\r\n\r\n`)).toThrow(badResponse)
  })
})

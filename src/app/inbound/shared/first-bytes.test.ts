import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../core/limits.ts'
import { FirstBytes, type Seen } from './first-bytes.ts'

/** What a client of Node's own sends first. */
function helloOf(servername: string, ALPNProtocols: string[]): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write: (chunk: Buffer) => {
        resolve(new Uint8Array(chunk))
      },
    })
    connect({ socket, servername, ALPNProtocols }).on('error', () => {})
  })
}

/** In pieces that end at `cuts`; what it shows at the end, and how many pieces that took. */
function push(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
): { seen: Seen | undefined; pieces: number; first: FirstBytes } {
  const first = new FirstBytes()
  const ends = [...new Set([...cuts, bytes.length])].sort((a, b) => a - b)
  let from = 0
  for (const [i, to] of ends.entries()) {
    const seen = first.push(bytes.slice(from, to))
    if (seen) return { seen, pieces: i + 1, first }
    from = to
  }
  return { seen: undefined, pieces: ends.length, first }
}

const text = (value: string) => new TextEncoder().encode(value)
const every = (bytes: Uint8Array) => Array.from(bytes, (_byte, i) => i + 1)

/** The same hello in records of `size` bytes. */
function recordsOf(hello: Uint8Array, size: number): Uint8Array {
  const body = hello.subarray(5)
  const parts: number[] = []
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size)
    parts.push(22, 3, 1, part.length >> 8, part.length & 255, ...part)
  }
  return Uint8Array.from(parts)
}

describe('first bytes', () => {
  it('of VMess, which may be anything, pass for a request only where they begin like one', () => {
    const after = Uint8Array.from([0x80, 7, 13, 10, 13, 10])
    for (const beginning of ['', ' ', 'a ', 'GE ', 'get ', 'GET ', 'A-B ', '9999 ', "#'* "]) {
      const bytes = Uint8Array.from([...text(beginning), ...after])
      expect(push(bytes).seen, JSON.stringify(beginning)).toEqual({ kind: 'bytes' })
      expect(push(bytes, every(bytes)).seen, JSON.stringify(beginning)).toEqual({ kind: 'bytes' })
    }
    for (const method of ['GET', 'OPTIONS', 'VERSION-CONTROL', 'M-SEARCH']) {
      expect(push(text(`${method} /x HTTP/1.1\r\nHost: a\r\n\r\n`)).seen).toMatchObject({ kind: 'request', path: '/x' })
    }
  })

  it('of TLS show name and protocols, in any number of pieces and records', async () => {
    const hello = await helloOf('Some.Test', ['h2', 'http/1.1'])
    const seen = { kind: 'tls', name: 'some.test', protocols: ['h2', 'http/1.1'] }
    for (const bytes of [hello, recordsOf(hello, 1), recordsOf(hello, 7), recordsOf(hello, 200)]) {
      expect(push(bytes).seen).toEqual(seen)
      expect(push(bytes, every(bytes)).seen).toEqual(seen)
    }
    const cuts = fc.array(fc.integer({ min: 1, max: hello.length - 1 }), { maxLength: 8 })
    fc.assert(
      fc.property(cuts, (at) => {
        const { seen: found, first } = push(hello, at)
        expect(found).toEqual(seen)
        expect(first.bytes).toEqual(hello)
      }),
    )
  })

  it('of TLS without a name or protocols show neither', async () => {
    expect(push(await helloOf('', [])).seen).toEqual({ kind: 'tls', name: '', protocols: [] })
  })

  it('of a request show path and host', () => {
    const request = text('GET /a%20b/?ed=1 HTTP/1.1\r\nHost: Some.Test:8080\r\n\r\nrest')
    const seen = { kind: 'request', path: '/a b/', host: 'some.test' }
    expect(push(request).seen).toEqual(seen)
    expect(push(request, every(request)).seen).toEqual(seen)
    expect(push(request).first.bytes).toEqual(request)
  })

  it('of HTTP/2 are its preface', () => {
    expect(push(text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).seen).toEqual({ kind: 'http2' })
  })

  it.each([
    'GET /\0 HTTP/1.1\r\n',
    'GET /a b HTTP/1.1\r\n\r\n',
    'GET /% HTTP/1.1\r\n\r\n',
    `GET /${'a'.repeat(limits.upgradeHeadMax)}`,
  ])('of a request that nobody can serve show no path: %.20s', (request) => {
    expect(push(text(request)).seen).toMatchObject({ kind: 'request', path: undefined })
  })

  it.each([
    ['SOCKS', [5, 1, 0]],
    ['what only looks like a record', [22, 3, 9]],
    ['a record of something else', [22, 3, 1, 0, 4, 2, 0, 0, 0]],
    ['a hello longer than any', [22, 3, 1, 0, 4, 1, 0x7f, 255, 255]],
    ['a word without an end', [...text('a'.repeat(33))]],
    ['bytes behind the beginning of a word', [71, 69, 84, 0]],
  ])('that are none of these are bytes: %s', (_what, bytes) => {
    expect(push(Uint8Array.from(bytes)).seen).toEqual({ kind: 'bytes' })
    expect(push(Uint8Array.from(bytes), every(Uint8Array.from(bytes))).seen).toEqual({ kind: 'bytes' })
  })

  it('of random bytes are told at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), (bytes) => {
        fc.pre(bytes[0] !== 22 && bytes.some((byte) => byte > 126))
        const { seen } = push(bytes)
        return seen?.kind === 'bytes' || seen === undefined || seen.kind === 'request'
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { ConnectAnswer, type ConnectAsk, connectRequest } from './connect.ts'

const ask: ConnectAsk = { target: { host: 'example.com', port: 443 }, headers: {} }
const login = { user: 'alice', pass: 'p:ä' }
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1')
const answer = (head: string, over: Partial<ConnectAsk> = {}) =>
  new ConnectAnswer({ ...ask, ...over }).push(Buffer.from(head.replaceAll('\n', '\r\n'), 'latin1'))

const failure = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('the request of CONNECT', () => {
  it('has what V2Ray writes', () => {
    expect(text(connectRequest(ask))).toBe(
      'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nUser-Agent: Go-http-client/1.1\r\nProxy-Connection: Keep-Alive\r\n\r\n',
    )
  })

  it('has the login in base64 of UTF-8, and further headers in place of its own', () => {
    const headers = { 'user-agent': 'curl/8', 'X-A': 'b' }
    expect(text(connectRequest({ ...ask, target: { host: '::1', port: 80 }, login, headers })).split('\r\n')).toEqual([
      'CONNECT [::1]:80 HTTP/1.1',
      'Host: [::1]:80',
      'user-agent: curl/8',
      `Proxy-Authorization: Basic ${Buffer.from('alice:p:ä').toString('base64')}`,
      'Proxy-Connection: Keep-Alive',
      'X-A: b',
      '',
      '',
    ])
  })

  it.each(['a b', 'a\r\nX: y', 'a/b', 'a@b', ''])('is not made for %j', (host) => {
    expect(failure(() => connectRequest({ ...ask, target: { host: `${host}\n`, port: 80 } }))).toMatchObject({
      code: 'ADDRESS_INVALID',
    })
  })
})

describe('the answer to CONNECT', () => {
  it('agrees with any 2xx, and gives what comes behind it', () => {
    expect(text(answer('HTTP/1.1 200 Connection established\n\nhello'))).toBe('hello')
    expect(text(answer('HTTP/1.0 299 ok\nContent-Length: 5\n\n'))).toBe('')
    expect(text(answer('HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Hints\nA: b\n\nHTTP/1.1 200 OK\n\nx'))).toBe('x')
    expect(answer('HTTP/1.1 200 OK\n')).toBeUndefined()
  })

  it.each<[string, Partial<ConnectAsk>, ErrorCode, RegExp]>([
    ['HTTP/1.1 407 Auth\n\n', {}, 'UPSTREAM_UNAUTHORIZED', /wants a user and a password \(407 Auth\)/],
    ['HTTP/1.1 407 Auth\n\n', { login }, 'UPSTREAM_UNAUTHORIZED', /refused the user or the password/],
    ['HTTP/1.1 407 A\nProxy-Authenticate: NTLM\n\n', { login }, 'UPSTREAM_UNAUTHORIZED', /login by NTLM; only Basic/],
    ['HTTP/1.1 403 Forbidden\n\n', {}, 'UPSTREAM_REFUSED', /connect to example.com:443: 403 Forbidden/],
    ['HTTP/1.1 502 Bad Gateway\n\n', {}, 'UPSTREAM_REFUSED', /502 Bad Gateway/],
    ['HTTP/1.1 504 Late\n\n', {}, 'DIAL_TIMEOUT', /504 Late/],
    ['HTTP/1.1 101 Switching\n\n', {}, 'UPSTREAM_REFUSED', /101/],
    ['HTTP/1.1 301 Moved\n\n', {}, 'UPSTREAM_REFUSED', /301/],
    ['SSH-2.0-OpenSSH\n', {}, 'UPSTREAM_BAD_ANSWER', /not HTTP/],
  ])('tells %j', (head, over, code, message) => {
    expect(failure(() => answer(head, over))).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('is not read beyond the bound of a head', () => {
    const head = `HTTP/1.1 200 OK\nA: ${'b'.repeat(limits.responseHeadMax)}`
    expect(failure(() => answer(head))).toMatchObject({ code: 'UPSTREAM_BAD_ANSWER' })
  })

  it('is the same however it is cut', () => {
    const whole = Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nhello')
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 6 }), (cuts) => {
        const reader = new ConnectAnswer(ask)
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length]
        let rest: Buffer | undefined
        for (let i = 1; i < at.length; i++) {
          const piece = whole.subarray(at[i - 1], at[i])
          if (rest) rest = Buffer.concat([rest, piece])
          else {
            const got = reader.push(piece)
            rest = got && Buffer.from(got)
          }
        }
        expect(rest?.toString()).toBe('hello')
      }),
    )
  })
})

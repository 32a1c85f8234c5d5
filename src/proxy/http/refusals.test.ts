import { describe, expect, it } from 'vitest'
import { GET, head, KEEP, refused, setUp } from '../../../test/support/http-inbound.ts'
import { HANDSHAKE_MS, settled } from '../../../test/support/inbound-io.ts'
import { limits } from '../../core/limits.ts'

const logins = [{ user: 'u', pass: 'p' }]
const RIGHT = 'Proxy-Authorization: Basic dTpw'
const WRONG = 'Proxy-Authorization: Basic dTp4'
const CHALLENGE = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n'
const KEPT = 'Connection: keep-alive\r\nProxy-Connection: keep-alive\r\n'
const CLOSED = 'Connection: close\r\nProxy-Connection: close\r\n'
const NO_BODY = 'Content-Length: 0\r\n\r\n'
const BODY =
  'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 42\r\n\r\nthis proxy asks for a user and a password\n'

describe('refusals', () => {
  it('answer nothing to what is not HTTP', async () => {
    for (const bytes of ['\x16\x03\x01', '<policy-file-request/>\0', 'GET\0']) {
      const all = setUp()
      await all.client.send(bytes)
      expect(all.client.text).toBe('')
      expect(all.client.state).toBe('ended')
      expect(all.io.rejected).toEqual([{ code: 'HTTP_BAD_REQUEST' }])
      await all.finish()
    }
  })

  const cannot = (what: string) => `the request cannot be served: ${what}`
  it.each([
    [head('GET http://o/ HTTP/1.1', 'A: b', ' c'), '400 Bad Request', cannot('a folded header line')],
    [head('GET http://o/ HTTP/1.1', 'A : b'), '400 Bad Request', cannot('a blank before the colon of a header')],
    [
      head('POST http://o/ HTTP/1.1', 'Content-Length: 3', 'Transfer-Encoding: chunked'),
      '400 Bad Request',
      cannot('both Transfer-Encoding and Content-Length'),
    ],
    [head('POST http://o/ HTTP/1.1', 'Content-Length:'), '400 Bad Request', cannot('its Content-Length')],
    [head('GET http://o/a b HTTP/1.1'), '400 Bad Request', cannot('its first line')],
    [`GET http://o/ HTTP/1.1\r\nA: \0`, '400 Bad Request', cannot('a control character')],
    [
      head('GET /a HTTP/1.1', 'Host: o'),
      '400 Bad Request',
      'this is a proxy: it is asked with a full URL or with CONNECT',
    ],
    [
      head('GET ftp://o/ HTTP/1.1'),
      '400 Bad Request',
      'ftp: is not served here: the proxy knows http:, ws: and CONNECT',
    ],
    [head('PRI * HTTP/2.0'), '505 HTTP Version Not Supported', 'this proxy speaks HTTP/1.1 and HTTP/1.0'],
    [
      `GET http://o/${'a'.repeat(limits.requestHeadMax)}`,
      '431 Request Header Fields Too Large',
      cannot('a head of more than 65536 bytes'),
    ],
  ])('are an answer: %j gets %s', async (request, status, reason) => {
    const all = setUp()
    await all.client.send(request)
    expect(all.client.text).toBe(refused(status, reason))
    expect(all.client.state).toBe('ended')
    expect(all.io.requests).toEqual([])
    expect(all.io.rejected).toEqual([{ code: 'HTTP_BAD_REQUEST' }])
    await all.finish()
  })

  it('are an answer to a request that breaks off or has a broken body, too', async () => {
    const broken = refused('400 Bad Request', 'the request broke off before its end')
    for (const [request, answer] of [
      ['GET http://o/ HTTP/1.0\r\n', broken],
      [`${head('POST http://o/ HTTP/1.1', 'Content-Length: 9')}abc`, broken],
      [
        `${head('POST http://o/ HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`,
        refused('400 Bad Request', cannot('the size of a chunk')),
      ],
    ] as const) {
      const all = setUp()
      await all.client.send(request)
      await all.client.conn.closeWrite()
      await settled()
      expect(all.client.text).toBe(answer)
      await all.finish()
    }
  })

  it('are not made of a kept connection that is not used again', async () => {
    for (const end of ['idle', 'close'] as const) {
      const all = setUp()
      await all.client.send(GET)
      await all.origins[0]!.send(head('HTTP/1.1 204 No Content'))
      await all.origins[0]!.conn.closeWrite()
      await settled()
      if (end === 'idle') all.clock.advance(HANDSHAKE_MS)
      else await all.client.conn.closeWrite()
      await all.serving
      expect(all.near.gone).toBeDefined()
      expect(all.io.rejected).toEqual([])
    }
  })

  it('meet a client that does not finish its head in time', async () => {
    const all = setUp()
    await all.client.send('GET http://o')
    all.clock.advance(HANDSHAKE_MS)
    await all.serving
    expect(all.io.rejected).toEqual([{ code: 'HANDSHAKE_TIMEOUT' }])
  })
})

describe('a challenge', () => {
  it('keeps the connection for the next try, and is no failure when that is right', async () => {
    const all = setUp({ logins })
    await all.client.send(head('CONNECT o:1 HTTP/1.1'))
    expect(all.client.text).toBe(CHALLENGE + KEPT + NO_BODY)
    expect(all.client.state).toBe('open')
    await all.client.send(head('CONNECT o:1 HTTP/1.1', RIGHT))
    await all.client.send('through')
    expect(all.origins[0]!.text).toBe('through')
    expect(all.io.rejected).toEqual([])
    await all.finish()
    expect(all.io.rejected).toEqual([])
  })

  it('comes at every request, with a body where the method has one', async () => {
    const all = setUp({ logins })
    await all.client.send(head('GET http://origin/ HTTP/1.1', KEEP, RIGHT))
    await all.origins[0]!.send(head('HTTP/1.1 204 No Content'))
    const before = all.client.text.length
    await all.client.send(GET)
    expect(all.client.text.slice(before)).toBe(CHALLENGE + KEPT + BODY)
    await all.client.send(head('HEAD http://origin/ HTTP/1.1'))
    expect(all.client.text.endsWith('Content-Length: 42\r\n\r\n')).toBe(true)
    expect(all.io.requests).toHaveLength(1)
    await all.finish()
    expect(all.io.rejected, 'a client that gave up').toEqual([{ code: 'HTTP_UNAUTHORIZED' }])
  })

  it('drops a short body to get to the next try', async () => {
    const all = setUp({ logins })
    const post = (...lines: string[]) => head('POST http://o/ HTTP/1.1', 'Content-Length: 80', ...lines)
    const body = head('GET http://evil/ HTTP/1.1', RIGHT).padEnd(80, '.')
    await all.client.send(post() + body + post(RIGHT) + body, 7)
    expect(all.client.text).toBe(CHALLENGE + KEPT + BODY)
    expect(all.io.requests.map(({ target }) => target.host)).toEqual(['o'])
    expect(all.origins[0]!.text.endsWith(`\r\n\r\n${body}`)).toBe(true)
    await all.finish()
  })

  it.each([
    ['of a client that closes', head('GET http://o/ HTTP/1.1', 'Connection: close')],
    ['of HTTP/1.0', head('GET http://o/ HTTP/1.0')],
    ['with a long body', head('POST http://o/ HTTP/1.1', `Content-Length: ${limits.httpDroppedBodyMax + 1}`)],
    ['with a body of unknown length', head('POST http://o/ HTTP/1.1', 'Transfer-Encoding: chunked')],
    ['with a body that may not come', head('POST http://o/ HTTP/1.1', 'Content-Length: 3', 'Expect: 100-continue')],
    ['with bytes for the target', `${head('CONNECT o:1 HTTP/1.1')}${head('GET / HTTP/1.1', RIGHT)}`],
  ])('says that it ends the connection: %s', async (_, request) => {
    const all = setUp({ logins })
    await all.client.send(request)
    expect(all.client.text).toBe(CHALLENGE + CLOSED + (request.startsWith('CONNECT') ? NO_BODY : BODY))
    expect(all.client.state).toBe('ended')
    expect(all.io.rejected).toEqual([{ code: 'HTTP_UNAUTHORIZED' }])
    await all.finish()
  })

  it('ends the connection of one who guesses', async () => {
    const all = setUp({ logins })
    const guess = head('CONNECT o:1 HTTP/1.1', WRONG)
    for (let i = 1; i < limits.httpChallenges; i++) await all.client.send(guess)
    expect(all.client.state).toBe('open')
    await all.client.send(guess)
    expect(all.client.text).toBe((CHALLENGE + KEPT + NO_BODY).repeat(2) + CHALLENGE + CLOSED + NO_BODY)
    expect(all.client.state).toBe('ended')
    expect(all.io.rejected).toEqual(Array(3).fill({ code: 'HTTP_UNAUTHORIZED' }))
    await all.finish()
  })
})

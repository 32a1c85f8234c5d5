import { describe, expect, it } from 'vitest'
import {
  forwardedRequest,
  forwardedResponse,
  interimResponse,
  routingAttributes,
  switchingResponse,
  wantsKeepAlive,
} from './forward.ts'
import { parseRequestHead, parseResponseHead } from './head.ts'
import { targetOf } from './target.ts'
import { bytesOf, textOf } from './text.ts'

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`
const requestOf = (...all: string[]) => parseRequestHead(bytesOf(lines(...all)))
const responseOf = (...all: string[]) => parseResponseHead(bytesOf(lines(...all)))

describe('forwardedRequest', () => {
  it('writes Host, User-Agent and the framing first and sorts the rest', () => {
    const head = requestOf(
      'POST http://h:1/p HTTP/1.1',
      'Zeta: 1',
      'user-agent: ua',
      'Alpha: 2',
      'Content-Length: 3',
      'Alpha: 1',
      'Host: x',
    )
    const target = targetOf(head, { transparent: false })
    expect(textOf(forwardedRequest(head, target, { kind: 'length', length: 3 }))).toBe(
      lines(
        'POST /p HTTP/1.1',
        'Host: h:1',
        'User-Agent: ua',
        'Content-Length: 3',
        'Alpha: 2',
        'Alpha: 1',
        'Connection: close',
        'Zeta: 1',
      ),
    )
    expect(textOf(forwardedRequest(head, target, { kind: 'chunked' }))).toContain('\r\nTransfer-Encoding: chunked\r\n')
  })

  it('removes what concerns the client’s connection, credentials before all', () => {
    const head = requestOf(
      'GET http://h/ HTTP/1.1',
      'Proxy-Authorization: Basic dTpw',
      'Proxy-Connection: keep-alive',
      'Connection: close, X-Hop , x-two',
      'X-Hop: 1',
      'X-Two: 1',
      'TE: trailers',
      'Upgrade: websocket',
      'Transfer-Encoding: chunked',
    )
    const target = targetOf(head, { transparent: false })
    expect(textOf(forwardedRequest(head, target, { kind: 'none' }))).toBe(
      lines('GET / HTTP/1.1', 'Host: h', 'Connection: close'),
    )
  })
})

describe('forwardedResponse', () => {
  it('keeps every Set-Cookie, in order', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Set-Cookie: b', 'Set-Cookie: a')
    expect(textOf(forwardedResponse(head, { kind: 'close' }, { keep: false }))).toBe(
      lines('HTTP/1.1 200 OK', 'Connection: close', 'Set-Cookie: b', 'Set-Cookie: a'),
    )
  })

  it('says the length of what HEAD did not bring', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Content-Length: 99')
    expect(textOf(forwardedResponse(head, { kind: 'none' }, { keep: true }))).toContain('\r\nContent-Length: 99\r\n')
    expect(
      textOf(forwardedResponse(responseOf('HTTP/1.1 204 No Content'), { kind: 'none' }, { keep: true })),
    ).not.toContain('Content-Length')
  })

  it('says nothing of chunks that were taken out', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')
    expect(textOf(forwardedResponse(head, { kind: 'chunked' }, { keep: false, dechunked: true }))).toBe(
      lines('HTTP/1.1 200 OK', 'Connection: close'),
    )
  })

  it('removes what Connection names, unless it also says close', () => {
    const without = responseOf('HTTP/1.1 200 OK', 'Connection: X-Drop', 'X-Drop: 1')
    expect(textOf(forwardedResponse(without, { kind: 'close' }, { keep: false }))).not.toContain('X-Drop')
    const withClose = responseOf('HTTP/1.1 200 OK', 'Connection: close, X-Drop', 'X-Drop: 1')
    expect(textOf(forwardedResponse(withClose, { kind: 'close' }, { keep: false }))).toContain('X-Drop: 1')
  })
})

it('gives routing rules the method, the path and the headers, without credentials', () => {
  const head = requestOf(
    'get http://h/a/b?c=d HTTP/1.1',
    'Host: x',
    'X-One: first',
    'x-one: second',
    'Proxy-Authorization: Basic dTpw',
    '__proto__: p',
  )
  const attributes = routingAttributes(head, targetOf(head, { transparent: false }))
  expect(Object.entries(attributes).sort()).toEqual([
    [':method', 'GET'],
    [':path', '/a/b'],
    ['__proto__', 'p'],
    ['x-one', 'first'],
  ])
})

it.each<[boolean, string, ...string[]]>([
  [true, 'HTTP/1.1'],
  [false, 'HTTP/1.0'],
  [true, 'HTTP/1.0', 'Connection: keep-alive'],
  [true, 'HTTP/1.0', 'Proxy-Connection:  Keep-Alive '],
  [false, 'HTTP/1.1', 'Connection: X-A, Close'],
  [false, 'HTTP/1.1', 'Proxy-Connection: close'],
  [false, 'HTTP/1.1', 'Proxy-Connection: keep-alive', 'Connection: close'],
])('keeps a connection (%s) for %s %s %s', (kept, version, ...headers) => {
  expect(wantsKeepAlive(requestOf(`GET http://h/ ${version}`, ...headers))).toBe(kept)
})

describe('a switch of protocols', () => {
  const forwarded = (...all: string[]) => {
    const head = requestOf('GET ws://h/ HTTP/1.1', ...all)
    return textOf(forwardedRequest(head, targetOf(head, { transparent: false }), { kind: 'none' }))
  }

  it('is asked of the origin where Connection says so', () => {
    expect(forwarded('Connection: keep-alive, Upgrade', 'Upgrade: WebSocket, h2c', 'Sec-WebSocket-Key: k')).toBe(
      lines('GET / HTTP/1.1', 'Host: h', 'Connection: Upgrade', 'Sec-Websocket-Key: k', 'Upgrade: WebSocket'),
    )
    const plain = lines('GET / HTTP/1.1', 'Host: h', 'Connection: close')
    expect(forwarded('Upgrade: websocket')).toBe(plain)
    expect(forwarded('Connection: Upgrade')).toBe(plain)
    expect(forwarded('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x')).toBe(plain)
  })

  it('is told to the client', () => {
    const head = responseOf('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'connection: upgrade', 'A: b')
    expect(textOf(switchingResponse(head))).toBe(
      lines('HTTP/1.1 101 Switching Protocols', 'A: b', 'Connection: Upgrade', 'Upgrade: websocket'),
    )
  })
})

it('passes interim responses on without what concerns one connection', () => {
  const head = responseOf('HTTP/1.1 103 Early Hints', 'Link : </a>', 'Connection: keep-alive')
  expect(textOf(interimResponse(head))).toBe(lines('HTTP/1.1 103 Early Hints', 'Link: </a>'))
})

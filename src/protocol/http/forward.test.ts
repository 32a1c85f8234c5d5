import { describe, expect, it } from 'vitest'
import { forwardedRequest, forwardedResponse, routingAttributes, wantsKeepAlive } from './forward.ts'
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
    const target = targetOf(head, { transparent: false })!
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
    const target = targetOf(head, { transparent: false })!
    expect(textOf(forwardedRequest(head, target, { kind: 'none' }))).toBe(
      lines('GET / HTTP/1.1', 'Host: h', 'Connection: close'),
    )
  })
})

describe('forwardedResponse', () => {
  it('keeps every Set-Cookie, in order', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Set-Cookie: b', 'Set-Cookie: a')
    expect(textOf(forwardedResponse(head, { kind: 'close' }))).toBe(
      lines('HTTP/1.1 200 OK', 'Connection: close', 'Set-Cookie: b', 'Set-Cookie: a'),
    )
  })

  it('says the length of what HEAD did not bring', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Content-Length: 99')
    expect(textOf(forwardedResponse(head, { kind: 'none' }))).toContain('\r\nContent-Length: 99\r\n')
    expect(textOf(forwardedResponse(responseOf('HTTP/1.1 204 No Content'), { kind: 'none' }))).not.toContain(
      'Content-Length',
    )
  })

  it('says nothing of chunks that were taken out', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')
    expect(textOf(forwardedResponse(head, { kind: 'chunked' }, { dechunked: true }))).toBe(
      lines('HTTP/1.1 200 OK', 'Connection: close'),
    )
  })

  it('removes what Connection names, unless it also says close', () => {
    const without = responseOf('HTTP/1.1 200 OK', 'Connection: X-Drop', 'X-Drop: 1')
    expect(textOf(forwardedResponse(without, { kind: 'close' }))).not.toContain('X-Drop')
    const withClose = responseOf('HTTP/1.1 200 OK', 'Connection: close, X-Drop', 'X-Drop: 1')
    expect(textOf(forwardedResponse(withClose, { kind: 'close' }))).toContain('X-Drop: 1')
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
  const attributes = routingAttributes(head, targetOf(head, { transparent: false })!)
  expect(Object.entries(attributes).sort()).toEqual([
    [':method', 'GET'],
    [':path', '/a/b'],
    ['__proto__', 'p'],
    ['x-one', 'first'],
  ])
})

it('keeps a connection only at the word of Proxy-Connection', () => {
  expect(wantsKeepAlive(requestOf('GET http://h/ HTTP/1.1', 'Proxy-Connection:  Keep-Alive '))).toBe(true)
  expect(wantsKeepAlive(requestOf('GET http://h/ HTTP/1.1', 'Connection: keep-alive'))).toBe(false)
  expect(wantsKeepAlive(requestOf('GET http://h/ HTTP/1.1', 'Proxy-Connection: close'))).toBe(false)
})

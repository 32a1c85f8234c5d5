/** Answers as origins on the open net give them (RFC 9112), and what the client sees of them. */

import { describe, expect, it } from 'vitest'
import { answered, head, OK, setUp } from '../../../test/support/http-inbound.ts'

const length = (bytes: number, ...more: string[]) =>
  OK.replace('Length: 2', `Length: ${bytes}`).replace(
    'Proxy-Connection: keep-alive',
    ['Proxy-Connection: keep-alive', ...more].join('\r\n'),
  )
const CHUNKED = OK.replace('Content-Length: 2', 'Transfer-Encoding: chunked')
const CLOSING = head('HTTP/1.1 200 OK', 'Connection: close')
const HELLO = '5\r\nhello\r\n0\r\n\r\n'

describe('an answer', () => {
  it.each([
    [
      'with a length beside chunks',
      head('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked') + HELLO,
      CHUNKED + HELLO,
    ],
    [
      'with a folded line',
      `${head('HTTP/1.1 200 OK', 'X: a', ' b', 'Content-Length: 5')}hello`,
      `${length(5, 'X: a b')}hello`,
    ],
    [
      'with lines that are no headers',
      `${head('HTTP/1.1 200 OK', 'Server : x', 'Bad Name: x', 'Content-Length : 5')}hello`,
      `${length(5, 'Server: x')}hello`,
    ],
    ['with two blanks', `${head('HTTP/1.1  200 OK', 'Content-Length: 5')}hello`, `${length(5)}hello`],
    [
      'without a reason',
      `${head('HTTP/1.1 200', 'Content-Length: 5')}hello`,
      `${length(5)}hello`.replace('200 OK', '200 '),
    ],
    [
      'with a head of 200 KiB',
      `${head('HTTP/1.1 200 OK', `X: ${'x'.repeat(200 * 1024)}`, 'Content-Length: 5')}hello`,
      `${length(5, `X: ${'x'.repeat(200 * 1024)}`)}hello`,
    ],
    ['with line feeds only', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n', CHUNKED + HELLO],
  ])('%s is taken', async (_, answer, text) => {
    expect(await answered(answer)).toEqual({ text, state: 'open' })
  })

  it.each([
    ['with an empty length', `${head('HTTP/1.1 200 OK', 'Content-Length:')}hello`],
    ['in chunks of HTTP/1.0', head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked') + HELLO],
    [
      'in chunks of HTTP/1.0 beside a length',
      head('HTTP/1.0 200 OK', 'Content-Length: 9', 'Transfer-Encoding: chunked') + HELLO,
    ],
    ['said to be in chunks by HTTP/1.0', `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}hello`],
    ['said to be coded by HTTP/1.0', `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: gzip')}hello`],
  ])('%s ends with the connection', async (_, answer) => {
    for (const cut of [Number.POSITIVE_INFINITY, 1])
      expect(await answered(answer, { ends: true, cut })).toEqual({ text: `${CLOSING}hello`, state: 'ended' })
  })

  it('of HTTP/1.0 whose body is only the beginning of a chunk’s size comes whole', async () => {
    const answer = `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}abc`
    expect(await answered(answer, { ends: true })).toEqual({ text: `${CLOSING}abc`, state: 'ended' })
  })

  it('that comes before the request has ended says close', async () => {
    const all = setUp()
    await all.client.send(`${head('POST http://o/ HTTP/1.1', 'Content-Length: 9')}abc`)
    await all.origins[0]!.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 5')}hel`)
    await all.client.send('defghi')
    await all.origins[0]!.send('lo')
    expect(all.client.text).toBe(`${head('HTTP/1.1 200 OK', 'Connection: close', 'Content-Length: 5')}hello`)
    expect(all.client.state).toBe('ended')
    await all.finish()
  })
})

describe('a request', () => {
  it('with raw UTF-8 in its path and bare line feeds is served', async () => {
    const bytes = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i))
    const all = setUp()
    await all.client.send(`GET http://origin/voil\xc3\xa0?${bytes} HTTP/1.1\nX: ${bytes}\n\n`)
    expect(all.origins[0]!.text).toBe(
      head(`GET /voil\xc3\xa0?${bytes} HTTP/1.1`, 'Host: origin', 'Connection: close', `X: ${bytes}`),
    )
    await all.finish()
  })
})

describe('a switch of protocols', () => {
  const ASKED = head(
    'GET ws://origin/chat HTTP/1.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: k',
  )
  const SWITCHED = head('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket')

  it('makes a tunnel of both connections', async () => {
    const all = setUp()
    await all.client.send(ASKED)
    expect(all.io.requests[0]?.target).toEqual({ host: 'origin', port: 80 })
    expect(all.origins[0]!.text).toBe(
      head('GET /chat HTTP/1.1', 'Host: origin', 'Connection: Upgrade', 'Sec-Websocket-Key: k', 'Upgrade: websocket'),
    )
    const before = all.origins[0]!.text.length
    await all.origins[0]!.send(`${head('HTTP/1.1 103 Early Hints')}${SWITCHED}first`)
    await all.client.send(head('GET http://evil/ HTTP/1.1'))
    await all.origins[0]!.send('HTTP/1.1 ')
    expect(all.client.text).toBe(`${head('HTTP/1.1 103 Early Hints')}${SWITCHED}firstHTTP/1.1 `)
    expect(all.origins[0]!.text.slice(before)).toBe(head('GET http://evil/ HTTP/1.1'))
    await all.client.conn.closeWrite()
    await all.origins[0]!.send('last')
    await all.origins[0]!.conn.closeWrite()
    await all.serving
    expect([all.origins[0]!.state, all.client.state, all.client.text.slice(-4)]).toEqual(['ended', 'ended', 'last'])
    expect(all.io.relayed).toMatchObject([{ reason: undefined }])
    await all.finish()
  })

  it('takes what the client sent without waiting, and a body first', async () => {
    const all = setUp()
    const ask = ASKED.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\n')
    await all.client.send(`${ask}bo`)
    await all.origins[0]!.send(SWITCHED)
    await all.client.send('dyearly')
    expect(all.origins[0]!.text.endsWith('\r\n\r\nbodyearly')).toBe(true)
    await all.client.send(' late')
    expect(all.origins[0]!.text.endsWith('bodyearly late')).toBe(true)
    await all.finish()
  })

  it('that is declined ends the connection: what came behind it may be no request', async () => {
    const all = setUp()
    await all.client.send(ASKED + head('GET http://evil/ HTTP/1.1'))
    await all.origins[0]!.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`)
    expect(all.client.text).toBe(`${head('HTTP/1.1 200 OK', 'Connection: close', 'Content-Length: 2')}ok`)
    expect(all.client.state).toBe('ended')
    expect(all.io.requests).toHaveLength(1)
    await all.finish()
  })

  it('ends when either side breaks', async () => {
    for (const side of ['client', 'origin'] as const) {
      const all = setUp()
      await all.client.send(ASKED)
      await all.origins[0]!.send(SWITCHED)
      ;(side === 'client' ? all.client : all.origins[0]!).conn.destroy()
      await all.serving
      expect(all.near.gone).toBeDefined()
      expect(all.fars[0]!.gone).toBeDefined()
      await all.finish()
    }
  })
})

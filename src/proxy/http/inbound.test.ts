import { describe, expect, it } from 'vitest'
import { answered, GET, head, KEEP, OK, refused, setUp, unavailable } from '../../../test/support/http-inbound.ts'
import { recordingIo, settled, Tap } from '../../../test/support/inbound-io.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { type ErrorCode, ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createHttpInbound } from './inbound.ts'

describe('CONNECT', () => {
  it('answers when the target is connected, and carries both ways with what came along first', async () => {
    const all = setUp()
    await all.client.send(`${head('CONNECT origin:443 HTTP/1.1')}early`)
    await all.client.send(' late')
    await all.origins[0]!.send('answer')
    expect(all.client.text).toBe('HTTP/1.1 200 Connection established\r\n\r\nanswer')
    expect(all.origins[0]!.text).toBe('early late')
    expect(all.io.requests).toEqual([
      { network: 'tcp', target: { host: 'origin', port: 443 }, user: { email: '', level: 4 } },
    ])
    await all.client.conn.closeWrite()
    await settled()
    expect(all.origins[0]!.state).toBe('ended')
    await all.finish()
  })

  it.each([
    ['DIAL_REFUSED', '502 Bad Gateway', 'the server refused the connection'],
    ['DNS_FAILED', '502 Bad Gateway', 'the name of the server could not be resolved'],
    ['DIAL_TIMEOUT', '504 Gateway Timeout', 'the server could not be reached in time'],
    ['OUTBOUND_BLOCKED', '403 Forbidden', 'this target is not allowed here'],
    ['TLS_FAILED', '502 Bad Gateway', 'the server could not be reached, or left before it answered'],
  ] as [ErrorCode, string, string][])('answers %s with %s, %s, and closes', async (code, status, reason) => {
    const all = setUp({ dial: () => Promise.reject(new ProxyError(code, 'secret 192.0.2.1')) })
    await all.client.send(head('CONNECT origin:443 HTTP/1.1'))
    expect(all.client.text).toBe(refused(status, reason))
    expect(all.client.state).toBe('ended')
    await all.finish()
  })

  it('is possible after a plain request on the same connection', async () => {
    const all = setUp()
    await all.client.send(GET)
    await all.origins[0]!.send(head('HTTP/1.1 204 No Content'))
    await all.client.send(`${head('CONNECT other:1 HTTP/1.1')}tunnelled`)
    expect(all.origins[1]!.text).toBe('tunnelled')
    await all.finish()
  })
})

describe('plain requests', () => {
  it('go one after the other, each on its own connection, also when they come at once', async () => {
    const all = setUp()
    await all.client.send(
      `${head('POST http://a/1 HTTP/1.1', KEEP, 'Content-Length: 3')}abc${head('GET http://b:81/2 HTTP/1.1', KEEP)}`,
    )
    expect(all.origins).toHaveLength(1)
    expect(all.origins[0]!.text).toBe(
      `${head('POST /1 HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Connection: close')}abc`,
    )
    await all.origins[0]!.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`)
    expect(all.origins).toHaveLength(2)
    expect(all.origins[0]!.state, 'the first origin is told that it is over').toBe('ended')
    await all.origins[1]!.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}OK`)
    expect(all.client.text).toBe(`${OK}ok${OK}OK`)
    expect(all.client.state).toBe('open')
    expect(all.io.requests.map(({ target }) => target)).toEqual([
      { host: 'a', port: 80 },
      { host: 'b', port: 81 },
    ])
    await all.finish()
  })

  it('are counted and reported like every flow', async () => {
    const all = setUp()
    await all.client.send(GET)
    const answer = `${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`
    await all.origins[0]!.send(answer)
    await all.origins[0]!.conn.closeWrite()
    await settled()
    const uplink = head('GET / HTTP/1.1', 'Host: origin', 'Connection: close').length
    expect(all.io.relayed).toEqual([{ totals: { uplink, downlink: answer.length }, reason: undefined }])
    await all.finish()
  })

  it('carry routing attributes', async () => {
    const all = setUp({ logins: [{ user: 'u', pass: 'p' }] })
    await all.client.send(head('GET http://origin/a?b HTTP/1.1', 'X-Y: z', 'Proxy-Authorization: Basic dTpw'))
    expect(all.io.requests[0]).toEqual({
      network: 'tcp',
      target: { host: 'origin', port: 80 },
      user: { email: 'u', level: 4 },
      attributes: { ':method': 'GET', ':path': '/a', 'x-y': 'z' },
    })
    await all.finish()
  })

  it('reach the Host header’s target only where transparent requests are allowed', async () => {
    const all = setUp({ allowTransparent: true })
    await all.client.send(head('GET /a HTTP/1.1', 'Host: origin:81'))
    expect(all.origins[0]!.text).toBe(head('GET /a HTTP/1.1', 'Host: origin:81', 'Connection: close'))
    await all.finish()
  })

  it('stream their body in chunks while the answer already comes', async () => {
    const all = setUp()
    await all.client.send(head('POST http://o/ HTTP/1.1', 'Transfer-Encoding: chunked'))
    await all.client.send('3\r\nabc\r\n')
    await all.origins[0]!.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}1\r\nx\r\n`)
    expect(all.origins[0]!.text).toContain('\r\nTransfer-Encoding: chunked\r\n')
    expect(all.origins[0]!.text.endsWith('\r\n\r\n3\r\nabc\r\n')).toBe(true)
    expect(all.client.text.endsWith('1\r\nx\r\n')).toBe(true)
    await all.client.send('2\r\nde\r\n0\r\n\r\n')
    expect(all.origins[0]!.text.endsWith('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')).toBe(true)
    await all.origins[0]!.send('0\r\n\r\n')
    expect(all.client.text.endsWith('1\r\nx\r\n0\r\n\r\n')).toBe(true)
    expect(all.client.state).toBe('ended')
    await all.finish()
  })

  it('that are answered before their body is through are the last, and the body goes nowhere', async () => {
    const all = setUp()
    await all.client.send(`${head('POST http://o/ HTTP/1.1', KEEP, 'Content-Length: 100')}abc`)
    await all.origins[0]!.send(head('HTTP/1.1 413 Too Large', 'Content-Length: 0'))
    expect(all.client.text.startsWith('HTTP/1.1 413 Too Large\r\n')).toBe(true)
    expect(all.client.state).toBe('ended')
    await all.client.send('x'.repeat(97) + head('GET http://evil/ HTTP/1.1'))
    expect(all.origins).toHaveLength(1)
    expect(all.origins[0]!.text.endsWith('\r\n\r\nabc')).toBe(true)
    await all.finish()
  })

  it('wait for a slow client, and a slow origin', async () => {
    const clock = fakeClock(0)
    const [end, near] = memoryPair({ highWater: 1000 })
    const [far, origin] = memoryPair({ highWater: 1000 })
    const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
    const io = recordingIo({ clock, dial: () => far })
    const serving = createHttpInbound({ logins: [], allowTransparent: false, level: 0 }, env).serve(near, io)
    await end.write(Buffer.from(head('POST http://o/ HTTP/1.1', 'Content-Length: 100000')))
    await settled()
    let taken = 0
    const upload = (async () => {
      for (; taken < 100_000; taken += 500) await end.write(new Uint8Array(500))
    })()
    await settled()
    expect(taken).toBeLessThan(10_000)
    await origin.write(Buffer.from(head('HTTP/1.1 200 OK', 'Content-Length: 100000')))
    let given = 0
    const download = (async () => {
      for (; given < 100_000; given += 500) await origin.write(new Uint8Array(500))
    })()
    await settled()
    expect(given).toBeLessThan(10_000)
    const target = new Tap(origin)
    await upload
    expect(given).toBeLessThan(10_000)
    const client = new Tap(end)
    await download
    await settled()
    expect(target.text.split('\r\n\r\n')[1]).toHaveLength(100_000)
    expect(client.text.split('\r\n\r\n')[1]).toHaveLength(100_000)
    end.destroy()
    origin.destroy()
    await serving
  })
})

describe('answers', () => {
  const bodies = {
    length: `${head('HTTP/1.1 200 OK', 'Content-Length: 5')}hello`,
    chunked: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    close: `${head('HTTP/1.1 200 OK')}hello`,
  }
  const closing = head('HTTP/1.1 200 OK', 'Connection: close')

  it('whose end can be seen leave the connection open', async () => {
    const chunked = OK.replace('Content-Length: 2', 'Transfer-Encoding: chunked')
    expect(await answered(bodies.length)).toEqual({
      text: `${OK.replace('Length: 2', 'Length: 5')}hello`,
      state: 'open',
    })
    expect(await answered(bodies.chunked)).toEqual({ text: `${chunked}5\r\nhello\r\n0\r\n\r\n`, state: 'open' })
  })

  it.each([
    ['HTTP/1.1', 'open'],
    ['HTTP/1.1\r\nConnection: keep-alive', 'open'],
    ['HTTP/1.1\r\nConnection: close', 'ended'],
    ['HTTP/1.1\r\nProxy-Connection: close', 'ended'],
    ['HTTP/1.0\r\nConnection: keep-alive', 'open'],
    ['HTTP/1.0', 'ended'],
  ])('say what happens to the connection: after %j it is %s', async (version, state) => {
    const seen = await answered(bodies.length, { request: head(`GET http://o/ ${version}`) })
    expect(seen.state).toBe(state)
    expect(/\r\nConnection: (\S+)/.exec(seen.text)?.[1]).toBe(state === 'open' ? 'keep-alive' : 'close')
    expect(seen.text.includes('\r\nKeep-Alive:')).toBe(state === 'open')
  })

  it('whose end cannot be seen end with the connection', async () => {
    expect(await answered(bodies.close, { ends: true })).toEqual({ text: `${closing}hello`, state: 'ended' })
  })

  it('come without chunks to an HTTP/1.0 client', async () => {
    const request = head('GET http://origin/ HTTP/1.0')
    expect(await answered(bodies.chunked, { request })).toEqual({ text: `${closing}hello`, state: 'ended' })
    expect(await answered(bodies.chunked, { request, cut: 1 })).toEqual({ text: `${closing}hello`, state: 'ended' })
  })

  it('have no body where there cannot be one', async () => {
    const request = head('HEAD http://origin/ HTTP/1.1', KEEP)
    const toHead = await answered(head('HTTP/1.1 200 OK', 'Content-Length: 500'), { request })
    expect(toHead).toEqual({ text: OK.replace('Length: 2', 'Length: 500'), state: 'open' })
    for (const status of ['204 No Content', '304 Not Modified']) {
      const { text, state } = await answered(head(`HTTP/1.1 ${status}`))
      expect(text.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true)
      expect(state).toBe('open')
    }
  })

  it('may be preceded by interim ones, for clients that know them', async () => {
    const interim = head('HTTP/1.1 100 Continue') + head('HTTP/1.1 103 Early Hints', 'Link: </a>')
    for (const cut of [Number.POSITIVE_INFINITY, 1]) {
      const { text, state } = await answered(interim + bodies.length, { cut })
      expect(text).toBe(`${interim}${OK.replace('Length: 2', 'Length: 5')}hello`)
      expect(state).toBe('open')
    }
    const old = await answered(interim + bodies.close, { request: head('GET http://origin/ HTTP/1.0'), ends: true })
    expect(old.text).toBe(`${closing}hello`)
  })

  it('with bare line feeds are understood', async () => {
    const { text } = await answered('HTTP/1.1 403 Forbidden\nConnection: close\nContent-Length: 0\n\n\n')
    expect(text).toBe(OK.replace('200 OK', '403 Forbidden').replace('Length: 2', 'Length: 0'))
  })

  it.each([
    ['the beginning of the status line', 'SSH-2.0-x\r\n'],
    ['several values of Content-Length', head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2')],
    ['a transfer coding but chunked', head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked')],
    ['a switch of protocols that was not asked for', head('HTTP/1.1 101 Switching Protocols')],
    ['a head of more than 262144 bytes', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(262_144)}`],
  ])('that are unusable become 503: %s', async (what, answer) => {
    const text = unavailable(`the server's answer cannot be passed on: ${what}`)
    expect(await answered(answer)).toEqual({ text, state: 'ended' })
    const toHead = await answered(answer, { request: head('HEAD http://o/ HTTP/1.1') })
    expect(toHead.text, 'HEAD has no body').toBe(text.slice(0, text.indexOf('\r\n\r\n') + 4))
  })

  it('that never come become 503', async () => {
    const text = unavailable('the server could not be reached, or left before it answered')
    expect(await answered('', { ends: true })).toEqual({ text, state: 'ended' })
    expect(await answered('HTTP/1.1 200', { ends: true })).toEqual({ text, state: 'ended' })
    const failed = setUp({ dial: () => Promise.reject(new ProxyError('DIAL_TIMEOUT', '')) })
    await failed.client.send(GET)
    expect(failed.client.text).toBe(unavailable('the server could not be reached in time'))
    await failed.finish()
  })

  it('that break off break the client’s connection', async () => {
    for (const answer of [
      `${head('HTTP/1.1 200 OK', 'Content-Length: 9')}abc`,
      head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'),
    ]) {
      expect((await answered(answer, { ends: true })).state).toBe('broken')
    }
    const junk = `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}junk\r\n`
    expect((await answered(junk, { cut: 1 })).state).toBe('broken')
    expect((await answered(junk)).text, 'nothing was said yet').toBe(
      unavailable("the server's answer cannot be passed on: the size of a chunk"),
    )
  })

  it('that go on after their end cut the origin off, and not the client', async () => {
    const all = setUp()
    await all.client.send(GET)
    await all.origins[0]!.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`)
    await all.origins[0]!.send('HTTP/1.1 200 forged')
    expect(all.client.text).toBe(`${OK}ok`)
    expect(all.client.state).toBe('open')
    expect(all.fars[0]!.gone).toBeDefined()
    await all.finish()
  })
})

describe('ends', () => {
  it('a client that goes away takes its origin with it', async () => {
    const all = setUp()
    await all.client.send(GET)
    all.client.conn.destroy()
    await all.serving
    expect(all.origins[0]!.conn.gone).toBeDefined()
    expect(all.clock.pending).toBe(0)
  })

  it('a client that leaves or errs inside its body takes its origin with it', async () => {
    for (const [request, rest] of [
      [head('POST http://o/ HTTP/1.1', 'Content-Length: 9'), 'abc'],
      [head('POST http://o/ HTTP/1.1', 'Transfer-Encoding: chunked'), 'zz\r\n'],
    ] as const) {
      const all = setUp()
      await all.client.send(request + rest)
      await all.client.conn.closeWrite()
      await settled()
      expect(all.origins[0]!.conn.gone).toBeDefined()
      await all.finish()
    }
  })

  it('an origin that resets before it answers is a 503, an idle one too', async () => {
    const reset = setUp()
    await reset.client.send(GET)
    reset.origins[0]!.conn.destroy()
    await settled()
    expect(reset.client.text).toBe(unavailable('the server could not be reached, or left before it answered'))
    await reset.finish()

    const idle = setUp()
    await idle.client.send(GET)
    idle.clock.advance(300_000)
    await settled()
    expect(idle.client.text).toBe(unavailable('the server did not answer in time'))
    expect(idle.io.relayed[0]?.reason?.code).toBe('IDLE_TIMEOUT')
    await idle.finish()
  })

  it('an origin that does not close after its answer is cut off, and does not hold the client up', async () => {
    const all = setUp()
    await all.client.send(GET)
    await all.origins[0]!.send(head('HTTP/1.1 204 No Content'))
    await all.client.send(GET)
    expect(all.origins).toHaveLength(2)
    all.clock.advance(5_000)
    await settled()
    expect(all.fars.map((far) => far.gone !== undefined)).toEqual([true, false])
    await all.finish()
  })
})

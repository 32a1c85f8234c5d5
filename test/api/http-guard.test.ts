import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Attempts, hostAllowed } from '../../src/api/http/guard.ts'
import { createHttpApi } from '../../src/api/http/server.ts'
import { systemClock } from '../../src/app/instance/env.ts'
import { type Logger, silentLogger } from '../../src/core/env.ts'
import { limits } from '../../src/core/limits.ts'
import { fakeClock } from '../../src/testing/fakes.ts'
import { fakeControl, sessionView, startApi, type TestApi, token } from './http-tools.ts'

let api: TestApi
let lines: string[]

const remember: Logger = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [
    level,
    (fields: object, message: string) => lines.push(`${level} ${JSON.stringify(fields)} ${message}`),
  ]),
) as unknown as Logger

beforeEach(async () => {
  lines = []
  api = await startApi(remember)
})
afterEach(() => api.close())

const get = (path: string, authorization?: string) =>
  fetch(api.url + path, authorization === undefined ? {} : { headers: { authorization } })

describe('the token', () => {
  const guarded = [
    ['GET', '/metrics'],
    ['GET', '/v1/status'],
    ['GET', '/v1/users'],
    ['GET', '/v1/users/love@example.com'],
    ['POST', '/v1/users'],
    ['PATCH', '/v1/users/love@example.com'],
    ['DELETE', '/v1/users/love@example.com'],
    ['POST', '/v1/users/love@example.com/reset-usage'],
    ['DELETE', '/v1/users/love@example.com/sessions'],
    ['GET', '/v1/sessions'],
    ['DELETE', '/v1/sessions/1'],
    ['GET', '/v1/counters'],
    ['GET', '/v1/handshakes'],
    ['GET', '/v1/endings'],
    ['GET', '/v1/inbounds'],
    ['GET', '/v1/outbounds'],
    ['POST', '/v1/reload'],
    ['GET', '/v1/events'],
    ['OPTIONS', '/v1/users'],
    ['HEAD', '/v1/status'],
    ['GET', '/nothing'],
    ['GET', '/health/'],
  ] as const

  it.each(guarded)('is asked for by %s %s', async (method, path) => {
    const answer = await fetch(api.url + path, { method })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ error: { code: 'TOKEN_REQUIRED' } })
    expect(api.control.people.size).toBe(1)
  })

  it.each(['/health', '/ready', '/openapi.json'])('is not asked for by %s', async (path) => {
    expect((await get(path)).status).toBe(200)
  })

  it('must be the right one, whole, under Bearer', async () => {
    for (const wrong of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      token,
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
    ]) {
      expect((await get('/v1/status', wrong)).status, wrong).toBe(401)
    }
    for (const right of [`Bearer ${token}`, `bearer  ${token}`]) {
      expect((await get('/v1/status', right)).status, right).toBe(200)
    }
  })

  it('may be in the query for events only', async () => {
    expect((await get(`/v1/status?token=${token}`)).status).toBe(401)
    const events = await get(`/v1/events?token=${token}`)
    expect(events.status).toBe(200)
    await events.body?.cancel()
    expect((await get('/v1/events?token=wrong')).status).toBe(401)
  })

  it('is never written to the log, right or wrong', async () => {
    await get(`/v1/events?token=wrong-${token}`)
    await get('/v1/status', `Bearer wrong-${token}`)
    await api.call('POST', '/v1/reload')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('wrong token')
    expect(lines[1]).toContain('"method":"POST","path":"/v1/reload","status":200')
    expect(lines.join()).not.toContain(token)
  })

  it('empty lets nobody in', async () => {
    const open = await (
      await createHttpApi({ control: fakeControl(), token: '', clock: api.clock, log: silentLogger })
    ).listen({
      host: '127.0.0.1',
      port: 0,
    })
    const answer = await fetch(`http://127.0.0.1:${open.address.port}/v1/events?token=`, {
      headers: { authorization: 'Bearer ' },
    })
    expect(answer.status).toBe(401)
    await open.close()
  })
})

describe('guessing the token', () => {
  const guess = async () => (await get('/v1/status', 'Bearer guess')).status

  it('ends after ten attempts for the rest of the minute', async () => {
    for (let i = 0; i < 10; i++) expect(await guess()).toBe(401)
    expect(await guess()).toBe(429)
    api.clock.advance(45_000)
    const late = await get('/v1/status', 'Bearer guess')
    expect(late.status).toBe(429)
    expect(late.headers.get('retry-after')).toBe('15')
    expect(await late.json()).toMatchObject({ error: { code: 'TOO_MANY_ATTEMPTS' } })
    expect((await get('/health')).status).toBe(200)
    api.clock.advance(15_000)
    expect(await guess()).toBe(401)
  })

  it('is counted for each IPv4 address, also where the socket speaks both', () => {
    const attempts = new Attempts(fakeClock(0))
    for (let i = 0; i < limits.controlWrongTokens; i++) attempts.wrong('::ffff:192.0.2.1')
    const hosts = ['::ffff:192.0.2.1', '192.0.2.1', '::ffff:192.0.2.2']
    expect(hosts.map((host) => attempts.blockedS(host))).toEqual([60, 60, 0])
  })

  it('keeps nobody out who shows the right one: others may share the address', async () => {
    for (let i = 0; i < 12; i++) await guess()
    expect((await get('/v1/status', `Bearer ${token}`)).status).toBe(200)
    expect((await get(`/v1/events?token=guess`)).status).toBe(429)
    expect(await guess()).toBe(429)
  })

  it('is told once for each lock', async () => {
    const told = () => lines.filter((line) => line.startsWith('warn') && line.includes('too many wrong tokens'))
    for (let i = 0; i < 9; i++) await guess()
    expect(told()).toEqual([])
    for (let i = 0; i < 5; i++) await guess()
    expect(told()).toHaveLength(1)
    expect(told()[0]).toContain('127.0.0.1')
    api.clock.advance(60_000)
    for (let i = 0; i < 12; i++) await guess()
    expect(told()).toHaveLength(2)
  })

  it('counts wrong tokens, not missing and not right ones', async () => {
    for (let i = 0; i < 15; i++) {
      expect((await get('/v1/status')).status).toBe(401)
      expect((await get('/v1/status', `Bearer ${token}`)).status).toBe(200)
    }
    for (let i = 0; i < 10; i++) expect(await guess()).toBe(401)
    expect(await guess()).toBe(429)
  })

  it('starts anew after a minute that has passed, whatever the wall clock is set to', async () => {
    for (let i = 0; i < 10; i++) await guess()
    api.clock.set(api.clock.now() + 3_600_000)
    expect(await guess()).toBe(429)
    api.clock.set(api.clock.now() - 7_200_000)
    api.clock.advance(60_000)
    expect(await guess()).toBe(401)
  })
})

/** fetch does not let the Host header be chosen. */
const asHost = (host: string, path = '/health'): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const asked = request(api.url + path, { headers: { host, authorization: `Bearer ${token}` } }, (answer) => {
      let text = ''
      answer.on('data', (data) => {
        text += data
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end()
  })

describe('the Host header', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.1:9010',
    '[::1]:9010',
    'localhost',
    'LocalHost:80',
    '192.0.2.1',
  ])('may be %s on loopback', async (host) => {
    expect((await asHost(host)).status).toBe(200)
  })

  it.each([
    'evil.example',
    'evil.example:9010',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '2130706433',
  ])('may not be %s on loopback', async (host) => {
    for (const path of ['/health', '/v1/status', '/v1/nothing']) {
      const { status, text } = await asHost(host, path)
      expect(status).toBe(403)
      expect(JSON.parse(text).error.code).toBe('HOST_REFUSED')
    }
  })

  it('may be any name elsewhere, and the name that is listened on', () => {
    expect(hostAllowed('vpn.example', '0.0.0.0')).toBe(true)
    expect(hostAllowed('vpn.example', '::')).toBe(true)
    expect(hostAllowed('vpn.example', '::1')).toBe(false)
    expect(hostAllowed(undefined, '127.0.0.1')).toBe(false)
    expect(hostAllowed('', '127.0.0.1')).toBe(false)
    expect(hostAllowed('LOCALHOST:1', 'localhost')).toBe(true)
  })
})

describe('a change', () => {
  it('is told in the log with who asked and what it was, and without an id', async () => {
    await api.call('POST', '/v1/users', {
      inbound: 'in',
      email: 'bob@example.com',
      id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    })
    await api.call('PATCH', '/v1/users/bob@example.com', { level: 1, limits: { quota: 5 } })
    await api.call('POST', '/v1/users/bob@example.com/reset-usage')
    await api.call('DELETE', '/v1/users/bob@example.com/sessions')
    await api.call('DELETE', '/v1/users/bob@example.com?inbound=in')
    api.control.live.set(1, sessionView(1))
    await api.call('DELETE', '/v1/sessions/1')
    expect(lines).toEqual(
      [
        'user "bob@example.com" added to the inbound "in"',
        'user "bob@example.com" changed (level, quota)',
        'usage of user "bob@example.com" set to zero',
        'sessions of user "bob@example.com" ended: 3',
        'user "bob@example.com" removed from the inbound "in"; sessions ended: 2',
        'session 1 ended',
      ].map((change) =>
        expect.stringMatching(`^warn .*"from":"(::ffff:)?127.0.0.1".* control API: ${escaped(change)}$`),
      ),
    )
    expect(lines.join()).not.toContain('6ba7b810')
  })

  it('that was refused, or changes nothing, is not told as one', async () => {
    await api.call('DELETE', '/v1/users/nobody@example.com')
    await api.call('PATCH', '/v1/users/love@example.com', {})
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['info', 'info'])
  })
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

it('on a unix socket may be called by any name: no page of the web gets there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-api-'))
  const socketPath = join(folder, 'api.sock')
  const control = fakeControl()
  const listening = await (await createHttpApi({ control, token, clock: api.clock, log: remember })).listen({
    host: '',
    port: 0,
    path: socketPath,
  })
  const ask = (shown: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { host: 'vmess', authorization: `Bearer ${shown}` }
      const asked = request({ socketPath, path: '/v1/status', headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.on('error', reject).end()
    })
  expect(await ask(token)).toBe(200)
  expect(await ask('wrong')).toBe(401)
  expect(lines[0]).toContain('"from":"unix socket"')
  await listening.close()
  rmSync(folder, { recursive: true })
})

describe('a body', () => {
  const post = (body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(`${api.url}/v1/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit)
  const chunked = (text: string) =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 65_536) {
          controller.enqueue(new TextEncoder().encode(text.slice(at, at + 65_536)))
        }
        controller.close()
      },
    })
  const user = (email: string) => JSON.stringify({ inbound: 'in', email })

  it('may come in chunks', async () => {
    expect((await post(chunked(user('chunked@example.com')))).status).toBe(201)
    expect(api.control.people.has('chunked@example.com')).toBe(true)
  })

  it('of more than a megabyte is refused, with a length or without', async () => {
    const large = user('a'.repeat(limits.controlBodyMax))
    for (const body of [large, chunked(large)]) {
      const answer = await post(body)
      expect(answer.status).toBe(413)
      expect(await answer.json()).toMatchObject({ error: { code: 'BODY_TOO_LARGE' } })
    }
  })

  it('that is not said to be JSON is refused: a form of another site could send it', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await post(user('form@example.com'), { 'content-type': type })
      expect(answer.status).toBe(415)
      expect(await answer.json()).toMatchObject({ error: { code: 'CONTROL_INVALID' } })
    }
    expect(api.control.people.size).toBe(1)
  })
})

it('answers what is not HTTP, and goes on', async () => {
  for (const bytes of [
    '\0\x01\x02 nonsense\r\n\r\n',
    'GET http:// HTTP/1.1\r\nHost: \r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ]) {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    let text = ''
    socket.on('data', (data) => {
      text += data
      socket.end()
    })
    socket.on('error', () => {})
    socket.write(bytes)
    await new Promise((resolve) => socket.on('close', resolve))
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
  }
  expect((await get('/health')).status).toBe(200)
})

it('refuses to listen where somebody else does', async () => {
  const control = fakeControl()
  const at = { host: '127.0.0.1', port: Number(new URL(api.url).port) }
  const second = await createHttpApi({ control, token, clock: systemClock, log: silentLogger })
  await expect(second.listen(at)).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  expect(control.watchers.size).toBe(0)
})

/** Node's own HTTP client and server, with our HTTP inbound and freedom between them; memory pairs instead of sockets. */

import http from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { type Env, silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { systemNames } from '../../src/dns/client/system.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { toDuplex } from '../../src/net/streams/duplex.ts'
import { createFreedom } from '../../src/proxy/freedom/outbound.ts'
import { createHttpInbound } from '../../src/proxy/http/inbound.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { type RecordingIo, recordingIo } from '../support/inbound-io.ts'

const content = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

/** What an agent that keeps connections calls on them besides the Duplex; memory has no use for it. */
const socketManners = { setKeepAlive() {}, setTimeout() {}, ref() {}, unref() {} }

interface Proxy {
  readonly agent: http.Agent
  readonly io: RecordingIo
  /** Client connections that were opened. */
  readonly opened: () => number
}

const agents: http.Agent[] = []
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy()
})

function proxyTo(origin: http.RequestListener): Proxy {
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const server = http.createServer(origin)
  const dialer = {
    dial: async () => {
      const [far, end] = memoryPair()
      server.emit('connection', toDuplex(end))
      return far
    },
  }
  const udp = { open: () => Promise.reject(new Error('no datagrams here')) }
  const resolve = async () => []
  const deps = { dialer, udp, env, resolve, names: systemNames(resolve) }
  const freedom = createFreedom('direct', { domainStrategy: 'AsIs', level: 0 }, deps)
  const io = recordingIo({
    clock,
    dial: ({ target }) => freedom.dial(target, { until: forever }),
  })
  const inbound = createHttpInbound({ logins: [], allowTransparent: false, level: 0 }, env)
  let opened = 0
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  agents.push(agent)
  agent.createConnection = () => {
    opened++
    const [client, near] = memoryPair()
    void inbound.serve(near, io)
    return Object.assign(toDuplex(client), socketManners)
  }
  return { agent, io, opened: () => opened }
}

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly trailers: NodeJS.Dict<string>
  readonly body: Buffer
}

function ask(proxy: Proxy, path: string, options: http.RequestOptions = {}, body?: Iterable<Buffer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'Proxy-Connection': 'keep-alive', ...(options.headers as http.OutgoingHttpHeaders) }
    const request = http.request({
      agent: proxy.agent,
      host: 'origin.test',
      path: `http://origin.test${path}`,
      ...options,
      headers,
    })
    request.on('response', async (response) => {
      const pieces: Buffer[] = []
      try {
        for await (const piece of response) pieces.push(piece as Buffer)
      } catch (error) {
        return reject(error)
      }
      const { statusCode = 0, trailers } = response
      resolve({ status: statusCode, headers: response.headers, trailers, body: Buffer.concat(pieces) })
    })
    request.on('error', reject)
    if (options.headers && 'Expect' in options.headers) {
      request.flushHeaders()
      request.on('continue', () => request.end(Buffer.concat([...(body ?? [])])))
      return
    }
    for (const piece of body ?? []) request.write(piece)
    request.end()
  })
}

describe('node:http through the proxy', () => {
  it('reuses one connection for many answers of known length', async () => {
    const proxy = proxyTo((request, response) => {
      const body = `${request.method} ${request.url} ${request.headers.host}`
      response.setHeader('Content-Length', body.length)
      response.end(body)
    })
    for (let i = 0; i < 20; i++) {
      const { status, body } = await ask(proxy, `/${i}?q=${i}`)
      expect([status, body.toString()]).toEqual([200, `GET /${i}?q=${i} origin.test`])
    }
    expect(proxy.opened()).toBe(1)
    expect(proxy.io.requests).toHaveLength(20)
    expect(proxy.io.rejected).toEqual([])
  })

  it('brings 3 MB up in chunks and back by length, in chunks and until the end', async () => {
    const data = content(3 << 20)
    const proxy = proxyTo(async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece as Buffer)
      const body = Buffer.concat(pieces)
      if (request.url === '/length') response.setHeader('Content-Length', body.length)
      if (request.url === '/close') response.useChunkedEncodingByDefault = false
      for (let at = 0; at < body.length; at += 70_000) response.write(body.subarray(at, at + 70_000))
      response.end()
    })
    const pieces = () => Array.from({ length: 48 }, (_, i) => data.subarray(i * 65_536, (i + 1) * 65_536))
    for (const path of ['/length', '/chunked', '/close']) {
      const { body } = await ask(proxy, path, { method: 'POST' }, pieces())
      expect(body.equals(data), path).toBe(true)
    }
  })

  it('lets an answer begin before the request has ended', async () => {
    const proxy = proxyTo((request, response) => {
      response.writeHead(200)
      request.on('data', (piece) => response.write(piece)).on('end', () => response.end())
    })
    const headers = { 'Transfer-Encoding': 'chunked' }
    const echoed = await new Promise<string>((resolve, reject) => {
      const request = http.request({ agent: proxy.agent, host: 'o', path: 'http://o/', method: 'POST', headers })
      request.on('error', reject)
      request.on('response', (response) => {
        let seen = ''
        response.on('data', (piece) => {
          seen += piece
          if (seen === 'one') request.end('two')
        })
        response.on('end', () => resolve(seen))
      })
      request.write('one')
    })
    expect(echoed).toBe('onetwo')
  })

  it('passes 100 Continue, trailers and several Set-Cookie', async () => {
    const proxy = proxyTo(async (request, response) => {
      for await (const _ of request);
      response.writeHead(200, { 'Set-Cookie': ['a=1', 'b=2'], Trailer: 'X-Sum' })
      response.write('x')
      response.addTrailers({ 'X-Sum': '7' })
      response.end()
    })
    const headers = { Expect: '100-continue', 'Content-Length': 4 }
    const answer = await ask(proxy, '/', { method: 'PUT', headers }, [Buffer.from('body')])
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(answer.trailers).toEqual({ 'x-sum': '7' })
  })

  it('answers HEAD, 204 and 304 without a body on one connection', async () => {
    const proxy = proxyTo((request, response) => {
      const status = Number(request.url!.slice(1))
      if (request.method === 'HEAD') response.setHeader('Content-Length', 1234)
      response.writeHead(status)
      response.end()
    })
    expect((await ask(proxy, '/200', { method: 'HEAD' })).headers['content-length']).toBe('1234')
    expect((await ask(proxy, '/204')).status).toBe(204)
    expect((await ask(proxy, '/304')).status).toBe(304)
    expect(proxy.opened()).toBe(1)
  })

  it('shows a broken answer as broken', async () => {
    const proxy = proxyTo((_, response) => {
      response.setHeader('Content-Length', 100)
      response.write('half')
      setImmediate(() => response.destroy())
    })
    await expect(ask(proxy, '/')).rejects.toMatchObject({
      message: expect.stringMatching(/aborted|CONN_|reset|hang up|destroyed/),
    })
  })

  it('serves forty at once', async () => {
    const data = content(100_000)
    const proxy = proxyTo((request, response) => response.end(data.subarray(0, Number(request.url!.slice(1)))))
    const lengths = Array.from({ length: 40 }, (_, i) => 1 + i * 2_497)
    const answers = await Promise.all(lengths.map((length) => ask(proxy, `/${length}`)))
    for (const [i, { body }] of answers.entries()) expect(body.equals(data.subarray(0, lengths[i]))).toBe(true)
  })
})

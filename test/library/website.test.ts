/** A server behind a web server, and in front of one. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, get, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, createServer, type ProxyError, type Session } from '../../src/index.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
let echo: TcpServer
let web: HttpServer
const portOf = (server: TcpServer | HttpServer) => (server.address() as AddressInfo).port

beforeAll(async () => {
  echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  web = createHttpServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => response.setHeader('X-Web', '1').end(`${request.method} ${request.url} ${body}`))
  }).listen(0, '127.0.0.1')
  await Promise.all([once(echo, 'listening'), once(web, 'listening')])
})
afterAll(() => {
  echo.close()
  web.close()
})

interface Rig {
  readonly port: number
  readonly sessions: Session[]
  readonly rejected: { source: string; error: ProxyError }[]
  /** A word through the proxy. */
  through(headers?: Record<string, string>): Promise<string>
}

const settingsOf = (network: string) => (network === 'h2' ? 'httpSettings' : `${network}Settings`)
const settingsFor = (network: string, headers: object = {}) =>
  network === 'grpc' ? { serviceName: 'ray' } : { path: '/ray', ...(network !== 'h2' && { headers }) }

async function withServer<T>(network: string, more: object, use: (rig: Rig) => Promise<T>): Promise<T> {
  const settings = settingsOf(network)
  const server = createServer({
    inbounds: [
      {
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id }] },
        streamSettings: { network, [settings]: settingsFor(network), ...more },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
  })
  const sessions: Session[] = []
  const rejected: Rig['rejected'] = []
  server.on('session', (session) => sessions.push(session))
  server.on('rejected', ({ source }, error) => rejected.push({ source, error }))
  const [at] = await server.listen()
  const { port } = at!.address
  const through = async (headers = {}): Promise<string> => {
    await using client = createClient({
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] },
      streamSettings: { network, [settings]: settingsFor(network, headers) },
    } as never)
    const stream = await client.connect({ host: '127.0.0.1', port: portOf(echo) })
    stream.write('hello')
    const [answer] = await once(stream, 'data')
    stream.destroy()
    return String(answer)
  }
  try {
    return await use({ port, sessions, rejected, through })
  } finally {
    await server.close(0)
  }
}

async function ask(port: number, path: string, headers = {}): Promise<{ response: IncomingMessage; text: string }> {
  const request = get({ host: '127.0.0.1', port, path, headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of response) text += String(part)
  return { response, text }
}

describe.each(['ws', 'httpupgrade'])('%s', (network) => {
  const forwarded = { 'X-Forwarded-For': '9.9.9.9, 203.0.113.7' }

  it('has the address of a client from a trusted proxy, and no forged one', async () => {
    await withServer(network, {}, async ({ through, sessions, port, rejected }) => {
      expect(await through(forwarded)).toBe('hello')
      expect(await through()).toBe('hello')
      expect(sessions.map(({ source }) => source)).toEqual([
        '203.0.113.7:0',
        expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      ])
      await ask(port, '/rax', forwarded)
      expect(rejected).toMatchObject([{ source: '203.0.113.7:0', error: { code: 'UPGRADE_REJECTED' } }])
    })
  })

  it('has the address of the connection where the proxy is not trusted, or headers are not to be read', async () => {
    const sources: string[] = []
    for (const more of [
      { sockopt: { trustedProxies: ['10.0.0.0/8'] } },
      { [`${network}Settings`]: { path: '/ray', parseXForwardedFor: false } },
    ])
      await withServer(network, more, async ({ through, sessions }) => {
        await through(forwarded)
        sources.push(...sessions.map(({ source }) => source))
      })
    expect(sources).toEqual([expect.stringContaining('127.0.0.1:'), expect.stringContaining('127.0.0.1:')])
  })

  it('gives visitors another server, whole, and serves the proxy beside it', async () => {
    await withServer(network, { fallback: portOf(web) }, async ({ port, through, rejected }) => {
      const { response, text } = await ask(port, '/page?x=1')
      expect(response.headers['x-web']).toBe('1')
      expect(text).toBe('GET /page?x=1 ')
      expect((await ask(port, '/ray')).text).toBe('GET /ray ')
      expect(await through()).toBe('hello')
      expect(rejected.map(({ error }) => error.message)).toEqual([expect.stringContaining('"/ray"')])
    })
  })

  it('says 502 where that server is not there', async () => {
    const gone = createTcpServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const port = portOf(gone)
    await new Promise((resolve) => gone.close(resolve))
    await withServer(network, { fallback: port }, async (rig) => {
      const { response, text } = await ask(rig.port, '/')
      expect(response.statusCode).toBe(502)
      expect(text).toContain('<center><h1>502 Bad Gateway</h1></center>')
    })
  })

  it('gives visitors a folder', async () => {
    const root = mkdtempSync(join(tmpdir(), 'vmess-site-'))
    writeFileSync(join(root, 'index.html'), '<h1>hi</h1>')
    await withServer(network, { fallback: { root } }, async ({ port, through }) => {
      const { response, text } = await ask(port, '/')
      expect(response.headers).toMatchObject({ server: 'nginx/1.22.1', 'content-type': 'text/html' })
      expect(text).toBe('<h1>hi</h1>')
      expect(await through()).toBe('hello')
    })
    rmSync(root, { recursive: true })
  })
})

describe.each(['grpc', 'h2'])('%s', (network) => {
  /** What a server of HTTP/2 says without TLS. */
  async function ask2(port: number, headers: Record<string, string>, body?: string) {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const request = session.request(headers)
    const [response] = (await once(request.end(body), 'response')) as [Record<string, string>]
    let text = ''
    for await (const part of request) text += String(part)
    session.destroy()
    return { response, text }
  }

  it('has visitors of both versions of HTTP meet the same site', async () => {
    const root = mkdtempSync(join(tmpdir(), 'vmess-site-'))
    writeFileSync(join(root, 'index.html'), 'x'.repeat(300_000))
    await withServer(network, { fallback: { root } }, async ({ port, through, rejected }) => {
      const { response, text } = await ask2(port, { ':path': '/' })
      expect(response).toMatchObject({ ':status': 200, server: 'nginx/1.22.1', 'content-length': '300000' })
      expect(text.length).toBe(300_000)
      expect((await ask2(port, { ':path': '/', ':method': 'HEAD' })).text).toBe('')
      expect((await ask2(port, { ':path': '/nix' })).response).toMatchObject({ ':status': 404 })
      expect((await ask(port, '/')).text.length).toBe(300_000)
      expect(await through()).toBe('hello')
      expect(rejected).toEqual([])
    })
    rmSync(root, { recursive: true })
  })

  it('asks another server for them', async () => {
    await withServer(network, { fallback: portOf(web) }, async ({ port, through }) => {
      const { response, text } = await ask2(port, { ':path': '/a?b', ':method': 'POST' }, 'body')
      expect(response).toMatchObject({ ':status': 200, 'x-web': '1' })
      expect(text).toBe('POST /a?b body')
      expect((await ask2(port, { ':path': '/a', ':method': 'HEAD' })).response).toMatchObject({ 'x-web': '1' })
      expect((await ask(port, '/c')).text).toBe('GET /c ')
      expect(await through()).toBe('hello')
    })
  })

  it('is a server without pages otherwise, and tells where they come from', async () => {
    await withServer(network, {}, async ({ port, rejected }) => {
      const { response, text } = await ask2(port, { ':path': '/', 'x-forwarded-for': '9.9.9.9, 203.0.113.7' })
      expect(response).toMatchObject({ ':status': 404, server: 'nginx/1.22.1', 'content-length': '153' })
      expect(text).toContain('<hr><center>nginx/1.22.1</center>')
      expect(rejected).toMatchObject([{ source: '203.0.113.7:0', error: { code: 'UPGRADE_REJECTED' } }])
    })
  })
})

it('a folder that is not there ends the start with its place', () => {
  const inbound = { port: 0, listen: '127.0.0.1', protocol: 'vmess', settings: { clients: [{ id }] } } as const
  const make = () =>
    createServer({
      inbounds: [{ ...inbound, streamSettings: { network: 'ws', fallback: { root: '/no/such/folder' } } }],
      outbounds: [{ protocol: 'freedom' }],
    })
  expect(make).toThrow(/inbounds\[0\]\.streamSettings: .*\/no\/such\/folder/)
})

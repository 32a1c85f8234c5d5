import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect as connectTcp, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ConfigError,
  connect,
  createServer,
  formatLink,
  ProxyError,
  parseLink,
  type Session,
} from '../../src/index.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'

/** Echoes upper-cased, and ends only after its peer has. */
let target: TcpServer
let port: number

beforeAll(async () => {
  target = createTcpServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('end', () => socket.end(text.toUpperCase()))
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  port = (target.address() as AddressInfo).port
})

afterAll(() => new Promise<void>((resolve) => target.close(() => resolve())))

async function withServer<T>(use: (link: string, server: ReturnType<typeof createServer>) => Promise<T>): Promise<T> {
  const server = createServer({
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id, email: 'love@v2ray.com' }] },
      },
    ],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  })
  const [at] = await server.listen()
  try {
    return await use(`vmess://${id}@127.0.0.1:${at!.address.port}`, server)
  } finally {
    await server.close(0)
  }
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const piece of stream) text += String(piece)
  return text
}

describe('connect', () => {
  it('gives a Duplex through the tunnel, with true half-close', () =>
    withServer(async (link) => {
      const stream = await connect(link, { host: '127.0.0.1', port })
      stream.end('hello')
      expect(await textOf(stream)).toBe('HELLO')
    }))

  it('takes a parsed link and a V2Ray outbound object as well', () =>
    withServer(async (link) => {
      const parsed = parseLink(link)
      const again = parseLink(formatLink(parsed))
      expect(again.id).toBe(id)
      const vnext = [{ address: '127.0.0.1', port: parsed.port, users: [{ id, security: 'chacha20-poly1305' }] }]
      for (const settings of [parsed, { protocol: 'vmess' as const, settings: { vnext } }]) {
        const stream = await connect(settings, { host: 'localhost', port })
        stream.end('again')
        expect(await textOf(stream)).toBe('AGAIN')
      }
    }))

  it('carries a megabyte through a slow reader', () =>
    withServer(async (link) => {
      const stream = await connect(link, { host: '127.0.0.1', port })
      const text = 'abcdefgh'.repeat(131_072)
      stream.end(text)
      let got = 0
      for await (const piece of stream) {
        got += (piece as Buffer).length
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(got).toBe(text.length)
    }))

  it.each(['aes-128-gcm', 'none', 'zero'])('gives a reader that is slow the whole answer with %s', (security) =>
    withServer(async (link) => {
      const { port: serverPort } = parseLink(link)
      const settings = { vnext: [{ address: '127.0.0.1', port: serverPort, users: [{ id, security }] }] }
      const stream = await connect({ protocol: 'vmess', settings }, { host: '127.0.0.1', port })
      stream.end('x'.repeat(300_000))
      let got = 0
      for await (const piece of stream) {
        got += (piece as Buffer).length
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      expect(got).toBe(300_000)
    }))

  it('leaves no connection behind when the target cannot be carried', () =>
    withServer(async (link, server) => {
      await expect(connect(link, { host: 'a b', port: 80 })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
      await expect.poll(() => server.connections).toBe(0)
    }))

  it('rejects with a code when the server is not there, the link is bad, or the dial is cancelled', async () => {
    const dead = await withServer(async (link) => link)
    await expect(connect(dead, { host: 'x', port: 1 })).rejects.toMatchObject({
      name: 'ProxyError',
      code: 'DIAL_REFUSED',
    })
    await expect(connect('vmess://nonsense', { host: 'x', port: 1 })).rejects.toMatchObject({ code: 'LINK_INVALID' })
    const settings = { protocol: 'vmess' as const, settings: { vnext: [{ address: '127.0.0.1', users: [{ id }] }] } }
    await expect(connect(settings, { host: 'x', port: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const signal = AbortSignal.abort(new Error('not today'))
    const cancelled = connect(dead, { host: 'x', port: 1, signal })
    await expect(cancelled).rejects.toMatchObject({
      code: 'DIAL_ABORTED',
      message: expect.stringContaining('not today'),
    })
  })

  it('fails the stream with the likely causes when the id is unknown to the server', () =>
    withServer(async (link, server) => {
      const rejected = new Promise<ProxyError>((resolve) => server.once('rejected', (_at, error) => resolve(error)))
      const stream = await connect(link.replace(id, id.replace('2', '3')), { host: '127.0.0.1', port })
      const failure = textOf(stream).then(
        () => undefined,
        (error: ProxyError) => error,
      )
      stream.write('x')
      expect((await rejected).code).toBe('VMESS_UNKNOWN_USER')
      await server.close(0) // the server goes on reading from strangers until its handshake limit
      expect((await failure)?.code).toMatch(/RESPONSE_MISSING|CONN_RESET/)
    }))
})

describe('createServer', () => {
  it('tells who came, for what, and how much was carried', () =>
    withServer(async (link, server) => {
      const opened = new Promise<Session>((resolve) => server.once('session', resolve))
      const ended = new Promise<unknown[]>((resolve) => server.once('sessionEnd', (...args) => resolve(args)))
      const stream = await connect(link, { host: '127.0.0.1', port })
      stream.end('hello')
      await textOf(stream)
      expect(await opened).toMatchObject({
        inboundTag: 'in',
        outboundTag: 'direct',
        network: 'tcp',
        target: { host: '127.0.0.1', port },
        user: { email: 'love@v2ray.com', level: 0 },
      })
      expect((await ended)[1]).toEqual({ uplink: 5, downlink: 5 })
    }))

  it('lists what is wrong with a configuration', () => {
    let error: ConfigError | undefined
    try {
      createServer({ inbounds: [{ port: 70000, protocol: 'vmesss' as 'vmess' }] })
    } catch (thrown) {
      error = thrown as ConfigError
    }
    expect(error).toBeInstanceOf(ProxyError)
    expect(
      error?.problems
        .filter(({ severity }) => severity === 'error')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['inbounds[0].port', 'inbounds[0].protocol'])
  })

  it('opens every port or none', async () => {
    const taken = (target.address() as AddressInfo).port
    const inbound = (at: number) => ({ listen: '127.0.0.1', port: at, protocol: 'socks' as const })
    const server = createServer({ inbounds: [inbound(0), inbound(taken)], outbounds: [{ protocol: 'freedom' }] })
    await expect(server.listen()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(server.listening).toEqual([])
  })

  it('listens again after close(), with the configuration that was last in force, and not twice at once', async () => {
    const inbound = { listen: '127.0.0.1', port: 0, protocol: 'vmess' as const, settings: { clients: [{ id }] } }
    const outbounds = [{ protocol: 'freedom' as const }]
    await using server = createServer({ inbounds: [{ ...inbound, tag: 'in' }], outbounds })
    await server.listen()
    await expect(server.listen()).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
    await server.reload({ inbounds: [{ ...inbound, tag: 'other' }], outbounds })
    void server.close(0)
    const [at] = await server.listen()
    expect(at?.tag).toBe('other')
    const stream = await connect(`vmess://${id}@127.0.0.1:${at!.address.port}`, { host: '127.0.0.1', port })
    stream.end('again')
    expect(String(await once(stream, 'data'))).toBe('AGAIN')
    stream.destroy()
    expect(await server.control.status()).toMatchObject({ ready: true })
  })

  it('tells of errors of its own to whoever listens, and needs nobody to', async () => {
    const failing = () => {
      throw new Error('of an observer')
    }
    const logged: string[] = []
    const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void logged.push(message) }
    await using server = createServer(
      { inbounds: [{ listen: '127.0.0.1', port: 0, protocol: 'socks' }], outbounds: [{ protocol: 'freedom' }] },
      { log },
    )
    server.on('rejected', failing)
    const [at] = await server.listen()
    const knock = () =>
      connectTcp(at!.address.port, '127.0.0.1')
        .on('error', () => {})
        .end('nonsense')
    knock()
    await expect.poll(() => logged).toHaveLength(1)
    const told: ProxyError[] = []
    server.on('error', (error) => {
      told.push(error)
      throw error
    })
    knock()
    await expect.poll(() => told).toMatchObject([{ code: 'SERVER_FAULT', message: 'an observer failed' }])
    expect(logged).toEqual(['an observer failed', 'an observer failed', 'a listener of error events failed'])
  })

  it('does not wait for connections that carry nothing', () =>
    withServer(async (_link, server) => {
      const [at] = server.listening
      const idle = connectTcp(at!.address.port, '127.0.0.1')
      await expect.poll(() => server.connections).toBe(1)
      const started = performance.now()
      await server.close()
      expect(performance.now() - started).toBeLessThan(5000)
      idle.destroy()
    }))

  it('ends with `await using` and stops accepting at once', async () => {
    let port = 0
    {
      await using server = createServer({
        inbounds: [{ listen: '127.0.0.1', port: 0, protocol: 'socks' }],
        outbounds: [{ protocol: 'freedom' }],
      })
      port = (await server.listen())[0]!.address.port
    }
    await expect(connect(`vmess://${id}@127.0.0.1:${port}`, { host: 'x', port: 1 })).rejects.toMatchObject({
      code: 'DIAL_REFUSED',
    })
  })
})

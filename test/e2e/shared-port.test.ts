/** Several inbounds on one port: each client gets the one it means, over reloads too. */
import { once } from 'node:events'
import { createServer, connect as dialTcp, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as dialTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { reload } from '../../src/app/reload/reload.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Observer } from '../../src/core/observer.ts'
import type { Config } from '../../src/settings/model.ts'
import { inlinePair, pemLines } from '../support/tls.ts'

const id = '11111111-1111-4111-8111-111111111111'
let echo: Server
let echoPort: number
let port: number
let instance: Instance
const open: Duplex[] = []
const by: string[] = []
const observer: Observer = { opened: ({ inboundTag }) => void by.push(inboundTag) }

beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  echoPort = (echo.address() as { port: number }).port
  const free = createServer()
  await once(free.listen(0, '127.0.0.1'), 'listening')
  port = (free.address() as { port: number }).port
  await new Promise((resolve) => free.close(resolve))
})
afterEach(async () => {
  for (const stream of open.splice(0)) stream.destroy()
  await instance.stop(0)
  await new Promise((resolve) => echo.close(resolve))
  by.length = 0
})

const inbound = (tag: string, streamSettings: object = {}, more: object = {}) => ({
  tag,
  listen: '127.0.0.1',
  port,
  protocol: 'vmess',
  settings: { clients: [{ id }] },
  streamSettings,
  ...more,
})
const tls = (...names: string[]) => ({
  security: 'tls',
  tlsSettings: { certificates: names.map((name) => inlinePair(name)) },
})
const ws = (path: string, more: object = {}) => ({ network: 'ws', wsSettings: { path, ...more } })
const xhttp = (path: string) => ({ network: 'xhttp', xhttpSettings: { path } })
const upgrade = (path: string) => ({ network: 'httpupgrade', httpupgradeSettings: { path } })
const disguised = (path: string) => ({ tcpSettings: { header: { type: 'http', request: { path: [path] } } } })

function load(...inbounds: object[]): Config {
  const { config, problems } = loadConfigValue({ inbounds, outbounds: [{ protocol: 'freedom' }] })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

const env = systemEnv()

async function start(...inbounds: object[]): Promise<void> {
  instance = new Instance(load(...inbounds), { env, observers: [observer] })
  await instance.start()
}

/** Which inbound serves a client with these settings; proven by bytes that come back. */
async function servedBy(streamSettings: object): Promise<string> {
  const { security } = streamSettings as { security?: string }
  const trust = { certificates: [{ certificate: pemLines('ca.crt'), usage: 'verify' }] }
  const own = (streamSettings as { tlsSettings?: object }).tlsSettings
  const vnext = [{ address: '127.0.0.1', port, users: [{ id, security: 'aes-128-gcm' }] }]
  const outbound = {
    protocol: 'vmess' as const,
    settings: { vnext },
    streamSettings: { ...streamSettings, ...(security && { tlsSettings: { ...trust, ...own } }) },
  }
  const stream = await connect(outbound, { host: '127.0.0.1', port: echoPort })
  open.push(stream)
  stream.on('error', () => {})
  stream.write('hello')
  await once(stream, 'data')
  return by.at(-1)!
}

const secure = (serverName: string, more: object = {}) => ({
  security: 'tls',
  tlsSettings: { serverName, ...more },
})

describe('inbounds on one port are told apart', () => {
  it('by path and Host, and from what is no HTTP', async () => {
    await start(
      inbound('a', ws('/a')),
      inbound('b', upgrade('/b')),
      inbound('c', disguised('/c')),
      inbound('here', ws('/same', { host: 'here.test' })),
      inbound('anywhere', ws('/same')),
      inbound('early', ws('/early', { maxEarlyData: 1024 })),
      inbound('xhttp', xhttp('/x')),
      inbound('raw'),
    )
    expect(instance.listening).toHaveLength(8)
    expect(await servedBy(ws('/a'))).toBe('a')
    expect(await servedBy(upgrade('/b'))).toBe('b')
    expect(await servedBy(disguised('/c'))).toBe('c')
    expect(await servedBy(ws('/same', { host: 'here.test' }))).toBe('here')
    expect(await servedBy(ws('/same', { host: 'there.test' }))).toBe('anywhere')
    expect(await servedBy(ws('/early', { maxEarlyData: 1024 }))).toBe('early')
    expect(await servedBy(xhttp('/x'))).toBe('xhttp')
    expect(await servedBy({})).toBe('raw')
  })

  it('by the name that TLS asks for, and from what is no TLS', async () => {
    await start(
      inbound('local', tls('server')),
      inbound('other', { ...ws('/w'), ...tls('other') }),
      inbound('plain', ws('/w')),
      inbound('raw'),
    )
    expect(await servedBy(secure('localhost'))).toBe('local')
    expect(await servedBy({ ...ws('/w'), ...secure('other.test') })).toBe('other')
    expect(await servedBy(ws('/w'))).toBe('plain')
    expect(await servedBy({})).toBe('raw')
    // Who asks for another name gets the first.
    expect(await servedBy(secure('nobody.test', { verifyPeerCertByName: 'localhost' }))).toBe('local')
  })

  it('inside one TLS, which offers what each of them can be carried behind', async () => {
    await start(
      inbound('raw', tls('server')),
      inbound('a', { ...ws('/a'), ...tls('server') }),
      inbound('b', { ...upgrade('/b'), ...tls('server') }),
    )
    expect(await servedBy(secure('localhost'))).toBe('raw')
    expect(await servedBy({ ...ws('/a'), ...secure('localhost') })).toBe('a')
    expect(await servedBy({ ...upgrade('/b'), ...secure('localhost') })).toBe('b')
    expect(await protocolFor({ servername: 'localhost', ALPNProtocols: ['h2', 'http/1.1'] })).toBe('http/1.1')
  })

  it('by the application protocol, and by that of HTTP inside', async () => {
    const grpc = { network: 'grpc', grpcSettings: { serviceName: 'some.Service' } }
    await start(
      inbound('grpc', { ...grpc, ...tls('server') }),
      inbound('ws', { ...ws('/a'), ...tls('server') }),
      inbound('raw', tls('server')),
      inbound('plain', grpc),
    )
    expect(await servedBy({ ...grpc, ...secure('localhost') })).toBe('grpc')
    expect(await servedBy({ ...ws('/a'), ...secure('localhost') })).toBe('ws')
    expect(await servedBy(secure('localhost'))).toBe('raw')
    expect(await servedBy(grpc)).toBe('plain')
  })

  it('by HTTP/2 or a path, and for a transport over either', async () => {
    await start(
      inbound('xhttp', { ...xhttp('/x'), ...tls('server') }),
      inbound('ws', { ...ws('/a'), ...tls('server') }),
    )
    const { tlsSettings } = secure('localhost')
    for (const alpn of [['h2'], ['http/1.1']])
      expect(await servedBy({ ...xhttp('/x'), ...secure('localhost', { ...tlsSettings, alpn }) })).toBe('xhttp')
    expect(await servedBy({ ...ws('/a'), ...secure('localhost') })).toBe('ws')
  })

  it('with an application protocol for each name', async () => {
    await start(inbound('raw', tls('server')), inbound('ws', { ...ws('/'), ...tls('other') }))
    const ALPNProtocols = ['h2', 'http/1.1']
    expect(await protocolFor({ servername: 'localhost', ALPNProtocols })).toBe('h2')
    expect(await protocolFor({ servername: 'other.test', ALPNProtocols })).toBe('http/1.1')
  })

  it('with a client certificate where one of them asks for it', async () => {
    const asking = { certificate: pemLines('ca.crt'), usage: 'verifyclient' }
    const verifying = { verifyClientCertificate: true, certificates: [inlinePair('other'), asking] }
    await start(inbound('open', tls('server')), inbound('shut', { security: 'tls', tlsSettings: verifying }))
    expect(await servedBy(secure('localhost'))).toBe('open')
    const certificates = [inlinePair('client'), { certificate: pemLines('ca.crt'), usage: 'verify' }]
    expect(await servedBy(secure('other.test', { certificates }))).toBe('shut')
    await expect(servedBy(secure('other.test'))).rejects.toThrow()
  })

  it('by "serverName" where one certificate is for both', async () => {
    const named = (serverName: string) => ({
      security: 'tls',
      tlsSettings: { serverName, certificates: [inlinePair('server')] },
    })
    await start(inbound('one', named('one.test')), inbound('two', named('two.test')))
    const verifyPeerCertByName = 'localhost'
    expect(await servedBy(secure('one.test', { verifyPeerCertByName }))).toBe('one')
    expect(await servedBy(secure('two.test', { verifyPeerCertByName }))).toBe('two')
  })
})

async function protocolFor(options: ConnectionOptions): Promise<string | false | null> {
  const socket = dialTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  open.push(socket)
  await once(socket, 'secureConnect')
  return socket.alpnProtocol
}

describe('strangers on a port with several inbounds', () => {
  async function said(text: string): Promise<string> {
    const socket = dialTcp(port, '127.0.0.1')
    open.push(socket)
    socket.write(text)
    let heard = ''
    for await (const piece of socket) heard += String(piece)
    return heard
  }

  it('get the answer of the first that speaks their language', async () => {
    await start(inbound('raw'), inbound('a', ws('/a')), inbound('b', ws('/b')))
    expect(await said('GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /)
    expect(await said('GET / HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1.1 505 /)
  })

  it('count while nobody knows whom they mean, and are cut when it stops', async () => {
    await start(inbound('a', ws('/a')), inbound('b', ws('/b')))
    const socket = dialTcp(port, '127.0.0.1')
    open.push(socket.on('error', () => {}))
    socket.write('GET /')
    await expect.poll(() => instance.connections).toBe(1)
    const closed = once(socket.resume(), 'close')
    await instance.stop(0)
    await closed
    expect(instance.connections).toBe(0)
  })
})

describe('a reload', () => {
  const again = (...inbounds: object[]) => reload(instance, load(...inbounds), env)

  it('adds an inbound to a port, takes one away and exchanges paths, while connections live on', async () => {
    await start(inbound('a', ws('/a')))
    expect(await servedBy(ws('/a'))).toBe('a')
    const [stream] = open
    await again(inbound('a', ws('/a')), inbound('b', ws('/b')))
    expect(await servedBy(ws('/b'))).toBe('b')
    await again(inbound('a', ws('/b')), inbound('b', ws('/a')))
    expect(await servedBy(ws('/b'))).toBe('a')
    expect(await servedBy(ws('/a'))).toBe('b')
    await again(inbound('b', ws('/a')))
    expect(await servedBy(ws('/a'))).toBe('b')
    stream!.write('still there')
    expect(String(await once(stream!, 'data'))).toBe('still there')
  })

  it('moves all of them to another port', async () => {
    await start(inbound('a', ws('/a')), inbound('b', ws('/b')))
    const old = port
    const free = createServer()
    await once(free.listen(0, '127.0.0.1'), 'listening')
    port = (free.address() as { port: number }).port
    await new Promise((resolve) => free.close(resolve))
    await again(inbound('a', ws('/a')), inbound('b', ws('/b')))
    expect(await servedBy(ws('/b'))).toBe('b')
    const refused = dialTcp(old, '127.0.0.1')
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('binds the socket anew when the options of all have changed', async () => {
    await start(inbound('a', ws('/a')), inbound('b', ws('/b')))
    const sockopt = { tcpKeepAliveIdle: 99 }
    await again(inbound('a', { ...ws('/a'), sockopt }), inbound('b', { ...ws('/b'), sockopt }))
    expect(await servedBy(ws('/a'))).toBe('a')
    expect(await servedBy(ws('/b'))).toBe('b')
  })
})

describe('what cannot be told apart', () => {
  it.each([
    ['two that take any bytes', [{}, {}], 'both take whatever bytes come first'],
    ['two with one path', [ws('/a'), upgrade('/a')], 'both take requests for "/a"'],
    ['two with HTTP/2', [{ network: 'grpc' }, { network: 'h2' }], 'both take HTTP/2'],
    ['two of which one takes HTTP/2 too', [{ network: 'grpc' }, xhttp('/x')], 'both take HTTP/2'],
    ['a path above another', [xhttp('/a'), ws('/a/b')], 'both take requests for "/a/"'],
    ['a path with early data behind it', [ws('/a', { maxEarlyData: 9 }), ws('/ab')], 'both take requests for "/a"'],
    ['different options of the socket', [ws('/a'), { ...ws('/b'), sockopt: { tcpKeepAliveIdle: 9 } }], '"sockopt"'],
  ])('is an error of the configuration: %s', (_what, [one, two], reason) => {
    const both = () => load(inbound('a', one), inbound('b', two))
    expect(both).toThrow(
      `port ${port} of 127.0.0.1 is already listened on by inbounds[0], and nothing tells the two apart`,
    )
    expect(both).toThrow(reason)
    instance = new Instance(load(), { env })
  })

  it('is told when the certificates are read: one name with different settings', () => {
    const one = inbound('a', { ...ws('/a'), ...tls('server') })
    const two = inbound('b', { ...ws('/b'), ...tls('server', 'other') })
    expect(() => new Instance(load(one, two), { env })).toThrow(
      /CFG086.*inbounds\[0\] \(a\), and nothing tells inbounds\[1\] \(b\) apart from it: both serve the name localhost/s,
    )
    instance = new Instance(load(), { env })
  })

  it('is told when the certificates are read: no name at all', () => {
    const nameless = { security: 'tls', tlsSettings: { certificates: [inlinePair('address')], minVersion: '1.3' } }
    const two = () => new Instance(load(inbound('a', tls('server')), inbound('b', nameless)), { env })
    expect(two).toThrow('no name is in the certificate of the second')
    instance = new Instance(load(inbound('b', nameless), inbound('a', tls('server'))), { env })
  })

  it('cannot be added by an API either', async () => {
    await start(inbound('a', ws('/a')))
    const [config] = load(inbound('b', ws('/a'))).inbounds
    await expect(instance.addInbound(config!)).rejects.toThrow('already listened on by inbounds[0] (a)')
    const [good] = load(inbound('b', ws('/b'))).inbounds
    await instance.addInbound(good!)
    expect(await servedBy(ws('/b'))).toBe('b')
    instance.removeInbound(instance.inbound('a')!)
    expect(await servedBy(ws('/b'))).toBe('b')
  })
})

import { describe, expect, it } from 'vitest'
import { answerOf, dialerTo, layerRig, meet, requestOf, serverAddress } from '../../../test/support/layer-pair.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { acceptFor } from '../../protocol/websocket/accept.ts'
import type { WebSocketConfig } from '../../settings/upgrade.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { webSocketLayer } from './layer.ts'

const plain: WebSocketConfig = { path: '/ray', host: '', servedHost: '', forwarded: true, headers: {}, heartbeatMs: 0 }
const header = { maxBytes: 2_048, headerName: 'Sec-WebSocket-Protocol' }
const bytes = (length: number) => new Uint8Array(length).map((_, i) => i * 7)
const layerOf = (config: Partial<WebSocketConfig> = {}, over: Partial<UpgradeDeps> = {}) =>
  webSocketLayer({ ...plain, ...config }, layerRig(over).deps)

const options = { halfClose: false, test: { describe, it } }
connSuite('ws over memory', async () => ({ ...(await meet(layerOf())), close: async () => {} }), options)
connSuite(
  'ws with early data over memory',
  async () => {
    const pair = await meet(layerOf({ earlyData: header }), Uint8Array.of(1))
    await pair.b.read()
    return { ...pair, close: async () => {} }
  },
  options,
)

describe('a WebSocket', () => {
  it('names itself, and leaves the other half open when one ends', async () => {
    const { a, b } = await meet(layerOf())
    expect(a.info).toMatchObject({ layers: ['memory', 'ws'], halfClose: 'none' })
    await a.write(bytes(3))
    await a.closeWrite()
    expect(await b.read()).toEqual(bytes(3))
    await b.write(bytes(4))
    expect(await a.read()).toEqual(bytes(4))
    await expect(a.write(bytes(1))).rejects.toMatchObject({ code: 'PROTOCOL_MISUSE' })
  })

  it('is over in order when the peer says Close, or hangs up between two frames', async () => {
    const [near, far] = memoryPair()
    const opening = layerOf().client(dialerTo(near)).dial(serverAddress, { until: forever })
    const key = /Sec-WebSocket-Key: (.*)\r/.exec(Buffer.from((await far.read())!).toString())![1]!
    await far.write(
      Buffer.from(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n\x82\x01A\x88\x02\x03\xe8`,
        'latin1',
      ),
    )
    const conn = await opening
    expect(Buffer.from((await conn.read())!).toString()).toBe('A')
    expect(await conn.read()).toBeNull()

    const pair = await meet(layerOf())
    pair.a.destroy()
    expect(await pair.b.read().catch(({ code }: { code: string }) => code)).toBeOneOf([null, 'CONN_RESET'])
  })

  it('sends Pings from both ends and answers them', async () => {
    const { deps, clock } = layerRig()
    const { a, b } = await meet(webSocketLayer({ ...plain, heartbeatMs: 10_000 }, deps))
    const reading = Promise.all([a.read(), b.read()])
    clock.advance(25_000)
    await Promise.all([a.write(bytes(1)), b.write(bytes(2))])
    expect(await reading).toEqual([bytes(2), bytes(1)])
    a.destroy()
    b.destroy()
    expect(clock.pending).toBe(0)
  })
})

describe('the request of a client', () => {
  it('is that of V2Ray, with the configured headers in place of ours', async () => {
    const text = await requestOf(layerOf({ path: '/ray?x=1', headers: { 'user-agent': 'me', 'X-A': 'b' } }))
    expect(text.replace(/Key: .*\r/, 'Key: …\r')).toBe(
      [
        'GET /ray?x=1 HTTP/1.1',
        'Host: proxy.example:8080',
        'user-agent: me',
        'X-A: b',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: …',
        'Sec-WebSocket-Version: 13',
        'Upgrade: websocket',
        '',
        '',
      ].join('\r\n'),
    )
  })

  it('has the host that is configured, else the name of TLS, else the address with an unusual port', async () => {
    const hostIn = async (config: Partial<WebSocketConfig>, over: Partial<UpgradeDeps>, port = 8080) =>
      /Host: (.*)\r/.exec(await requestOf(layerOf(config, over), undefined, { host: 'a.example', port }))?.[1]
    expect(await hostIn({ host: 'x.example' }, { secure: true, serverName: 'tls.example' })).toBe('x.example')
    expect(await hostIn({}, { secure: true, serverName: 'tls.example' })).toBe('tls.example')
    expect(await hostIn({}, {})).toBe('a.example:8080')
    expect(await hostIn({}, {}, 80)).toBe('a.example')
    expect(await hostIn({}, { secure: true }, 443)).toBe('a.example')
  })

  it('takes the first write along, where the configuration says, as far as it goes', async () => {
    const first = bytes(300)
    const inHeader = await requestOf(layerOf({ earlyData: { ...header, maxBytes: 200 } }), first)
    expect(inHeader).toContain(`Sec-WebSocket-Protocol: ${Buffer.from(first.subarray(0, 200)).toString('base64url')}\r`)
    const inPath = await requestOf(layerOf({ earlyData: { maxBytes: 2_048, headerName: '' } }), first)
    expect(inPath).toContain(`GET /ray${Buffer.from(first).toString('base64url')} HTTP/1.1\r`)
  })
})

describe('early data', () => {
  it.each([
    ['in the header that browsers can set', { ...header, maxBytes: 100 }],
    ['in a header with a name', { maxBytes: 100, headerName: 'X-Early' }],
    ['in the path', { maxBytes: 100, headerName: '' }],
    ['with none of it in the request', { maxBytes: 0, headerName: 'X-Early' }],
  ])('%s comes first, and what did not fit behind it', async (_, earlyData) => {
    const { a, b } = await meet(layerOf({ earlyData }), bytes(1_000))
    await a.write(bytes(500))
    let got = Buffer.alloc(0)
    while (got.length < 1_500) got = Buffer.concat([got, (await b.read())!])
    expect(Buffer.compare(got, Buffer.concat([bytes(1_000), bytes(500)]))).toBe(0)
    await b.write(bytes(9))
    expect(await a.read()).toEqual(bytes(9))
  })

  it.each([
    ['no echo', '', [true, false]],
    ['an echo', 'Sec-WebSocket-Protocol: BwcH\r\n', [true, true]],
  ])('after an answer with %s: whether it is sent again', async (_, echo, expected) => {
    const requests: string[] = []
    let near = memoryPair()[0]
    const dialer = layerOf({ earlyData: header }).client({ dial: async () => near })
    for (let i = 0; i < 2; i++) {
      const [ours, far] = memoryPair()
      near = ours
      const answering = far.read().then((bytes) => {
        const text = Buffer.from(bytes!).toString('latin1')
        requests.push(text)
        const accept = acceptFor(/Sec-WebSocket-Key: (.*)\r/.exec(text)![1]!)
        const upgraded = 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
        return far.write(Buffer.from(`${upgraded}Sec-WebSocket-Accept: ${accept}\r\n${echo}\r\n`))
      })
      const dialled = dialer.dial(serverAddress, { until: forever })
      await (await dialled).write(Uint8Array.of(7, 7, 7))
      await answering
    }
    expect(requests.map((text) => text.includes('Sec-WebSocket-Protocol'))).toEqual(expected)
  })

  it('is read by a server that was not told, in every alphabet, and echoed as it came', async () => {
    const early = Uint8Array.of(0xfb, 0xff, 0xfe, 1)
    for (const value of ['-__-AQ', '+//+AQ==']) {
      const [near, far] = memoryPair()
      const accepted = new Promise<Uint8Array | null>((resolve) => {
        layerOf()
          .server((conn) => void conn.read().then(resolve))
          .receive(far)
      })
      await near.write(Buffer.from(upgrade('/ray', `Sec-WebSocket-Protocol: ${value}\r\n`)))
      expect(await accepted).toEqual(early)
      expect(Buffer.from((await near.read())!).toString()).toContain(`Sec-WebSocket-Protocol: ${value}\r`)
    }
  })
})

const upgrade = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`

describe('who is not meant', () => {
  const page = (status: string, connection: string, length: number) =>
    `HTTP/1.1 ${status}\r\nServer: nginx/1.22.1\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${length}\r\nConnection: ${connection}\r\n\r\n`
  const html =
    '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n'
  const notFound = page('404 Not Found', 'keep-alive', 153) + html

  it.each([
    ['another path', upgrade('/rax')],
    ['the path of ours with more', upgrade('/ray/')],
    ['no upgrade', 'GET /ray HTTP/1.1\r\nHost: a.example\r\n\r\n'],
    ['another version', upgrade('/ray').replace(': 13', ': 12')],
    ['no key', upgrade('/ray').replace(/Sec-WebSocket-Key.*\r\n/, '')],
    ['another method', upgrade('/ray').replace('GET', 'POST')],
  ])('%s: a web server that has no such page', async (_, request) => {
    expect(await answerOf(layerOf(), request)).toBe(notFound)
  })

  it('the answers differ by what the request says of itself only', async () => {
    const layer = layerOf()
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n'
    expect(await answerOf(layer, `${get}Connection: close\r\n\r\n`)).toBe(page('404 Not Found', 'close', 153) + html)
    expect(await answerOf(layer, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe(page('404 Not Found', 'keep-alive', 153))
    expect(await answerOf(layer, 'GET / HTTP/1.0\r\n\r\n')).toBe(page('404 Not Found', 'close', 153) + html)
    expect(await answerOf(layer, 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n')).toContain('HTTP/1.1 405 Not Allowed\r\n')
    const bad = page('400 Bad Request', 'close', 157)
    for (const request of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01', `${get}Host: b\r\n\r\n`])
      expect(await answerOf(layer, request)).toContain(bad)
    const large = await answerOf(layer, `${get}X: ${'a'.repeat(40_000)}\r\n\r\n`)
    expect(large).toContain('400 Bad Request\r\n')
    expect(large).toContain('<center>Request Header Or Cookie Too Large</center>')
  })

  it('may ask again on the same connection, also behind a body, and then ask for the WebSocket', async () => {
    const post = 'POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'
    const text = await answerOf(layerOf(), post + post, upgrade('/ray'))
    expect(text.startsWith(notFound + notFound)).toBe(true)
    expect(text).toContain('101 Switching Protocols\r\n')
    expect(text).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n')
  })

  it('is told to the log with path, host and reason', async () => {
    const { deps, failures } = layerRig()
    const layer = webSocketLayer({ ...plain, servedHost: 'a.example:443' }, deps)
    await answerOf(layer, upgrade('/rax'))
    await answerOf(layer, upgrade('/ray').replace('a.example', 'b.example'))
    await answerOf(layer, upgrade('/ray').replace('a.example', 'A.example:80'))
    expect(failures.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'UPGRADE_REJECTED: a request for "/rax" (Host: "a.example") is not served: the path here is /ray',
      'UPGRADE_REJECTED: a request for "/ray" (Host: "b.example") is not served: the host here is a.example:443',
    ])
  })

  it('is sent away after its time, and cut with the passage', async () => {
    const { deps, clock, failures } = layerRig()
    const passage = webSocketLayer(plain, deps).server(() => {})
    const [near, far] = memoryPair()
    passage.receive(far)
    const [other, otherFar] = memoryPair()
    passage.receive(otherFar)
    await near.write(Buffer.from('GET / HT'))
    expect(passage.pending).toBe(2)
    clock.advance(60_000)
    await expect(near.read()).rejects.toThrow()
    expect(failures.map(({ code }) => code)).toContain('HANDSHAKE_TIMEOUT')
    passage.receive(memoryPair()[1])
    passage.close()
    await expect(other.read()).rejects.toThrow()
    await new Promise(setImmediate)
    expect(passage.pending).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('a server that does not agree', () => {
  const failing = async (answer: string) => {
    const [near, far] = memoryPair()
    const dialling = layerOf().client(dialerTo(near)).dial(serverAddress, { until: forever })
    await far.read()
    await far.write(Buffer.from(answer))
    await far.closeWrite()
    const error: { code?: string; message?: string; hint?: string } = await dialling.then(
      () => ({}),
      (why) => why,
    )
    expect(near.gone).toBeDefined()
    return error
  }

  it('is said with what it answered', async () => {
    expect(await failing('HTTP/1.1 404 Not Found\r\n\r\n')).toMatchObject({
      code: 'UPGRADE_FAILED',
      message: expect.stringContaining('WebSocket upgrade of /ray (Host: proxy.example:8080)'),
      hint: expect.stringContaining('path'),
    })
    expect((await failing('SSH-2.0-x\r\n')).message).toContain('is not HTTP')
    expect((await failing('')).message).toContain('closed the connection')
    expect(
      (await failing('HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n')).message,
    ).toContain('does not fit to the key')
  })

  it('breaks a connection with early data when its first bytes were written', async () => {
    const { deps, clock } = layerRig()
    const [near, far] = memoryPair()
    const layer = webSocketLayer({ ...plain, earlyData: header }, deps)
    const conn = await layer.client(dialerTo(near)).dial(serverAddress, { until: forever })
    const writing = conn.write(bytes(3))
    await far.read()
    clock.advance(8_000)
    await expect(writing).rejects.toMatchObject({ code: 'UPGRADE_FAILED' })
    expect(conn.gone).toMatchObject({ code: 'UPGRADE_FAILED' })
  })
})

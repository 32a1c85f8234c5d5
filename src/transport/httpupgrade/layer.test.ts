import { describe, expect, it } from 'vitest'
import { answerOf, dialerTo, layerRig, meet, requestOf, serverAddress } from '../../../test/support/layer-pair.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { httpUpgradeLayer } from './layer.ts'

const plain: HttpUpgradeConfig = {
  path: '/up',
  host: '',
  servedHost: '',
  forwarded: true,
  headers: {},
  fastOpen: false,
}
const layerOf = (config: Partial<HttpUpgradeConfig> = {}) => httpUpgradeLayer({ ...plain, ...config }, layerRig().deps)

const options = { halfClose: true, test: { describe, it } }
const overMemory = (config: Partial<HttpUpgradeConfig>) => async () => ({
  ...(await meet(layerOf(config))),
  close: async () => {},
})
connSuite('httpupgrade over memory', overMemory({}), options)
connSuite('httpupgrade, opened fast, over memory', overMemory({ fastOpen: true }), options)

const upgrade = 'GET /up?x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

describe('HTTPUpgrade', () => {
  it('asks as Xray does and sends nothing before the answer', async () => {
    const [near, far] = memoryPair()
    const dialling = layerOf({ host: 'a.example' }).client(dialerTo(near)).dial(serverAddress, { until: forever })
    expect(Buffer.from((await far.read())!).toString()).toBe(
      'GET /up HTTP/1.1\r\nHost: a.example\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    await far.write(
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nAB'),
    )
    const conn = await dialling
    expect(Buffer.from((await conn.read())!).toString()).toBe('AB')
    expect(conn.info).toMatchObject({ layers: ['memory', 'httpupgrade'], halfClose: 'native' })
  })

  it('opened fast sends at once, and breaks when the answer is another', async () => {
    const [near, far] = memoryPair()
    const conn = await layerOf({ fastOpen: true }).client(dialerTo(near)).dial(serverAddress, { until: forever })
    await conn.write(Uint8Array.of(65))
    let text = ''
    while (!text.endsWith('\r\n\r\nA')) text += Buffer.from((await far.read())!).toString()
    await far.write(Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    await expect(conn.read()).rejects.toMatchObject({ code: 'UPGRADE_FAILED' })
    expect(conn.gone).toBeDefined()
  })

  it('answers as Xray does and keeps what came with the request', async () => {
    const [near, far] = memoryPair()
    const first = new Promise<Uint8Array | null>((resolve) => {
      layerOf()
        .server((conn) => void conn.read().then(resolve))
        .receive(far)
    })
    await near.write(Buffer.from(`${upgrade}hello`))
    expect(Buffer.from((await first)!).toString()).toBe('hello')
    expect(Buffer.from((await near.read())!).toString()).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
  })

  it('is a web server without pages to everybody else, WebSocket clients included', async () => {
    for (const request of [
      upgrade.replace('/up', '/down'),
      upgrade.replace('Connection: Upgrade\r\n', ''),
      upgrade.replace('\r\n\r\n', '\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'),
    ])
      expect(await answerOf(layerOf(), request)).toContain('HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\n')
    expect(await requestOf(layerOf())).toContain('Host: proxy.example:8080\r\n')
  })
})

import { describe, expect, it } from 'vitest'
import { answerOf, dialerTo, layerRig, meet, requestOf, serverAddress } from '../../../test/support/layer-pair.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { DisguiseConfig } from '../../settings/disguise.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { disguiseLayer } from './disguise-layer.ts'

const config: DisguiseConfig = {
  request: {
    version: '1.1',
    method: 'GET',
    paths: ['/a b', '/c', '/💃'],
    headers: [{ name: 'Host', values: ['x', 'y'] }],
  },
  response: { version: '1.1', status: '200', reason: 'OK', headers: [{ name: 'X', values: ['1'] }] },
}
const single = { ...config, request: { ...config.request, paths: ['/c'] } }
const layerOf = (over: DisguiseConfig = single) => disguiseLayer(over, layerRig().deps)
const first = Uint8Array.of(65)

connSuite(
  'tcp with the http header over memory',
  async () => {
    const pair = await meet(layerOf(), first)
    await pair.b.read()
    return { ...pair, close: async () => {} }
  },
  { halfClose: true, test: { describe, it } },
)

const date = 'Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n'
const refusal = (status: string) =>
  `HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: private\r\nContent-Length: 0\r\n${date}\r\n`

describe('the http header of tcp', () => {
  it('stands in front of the first bytes of each direction, in one write', async () => {
    expect(await requestOf(layerOf(), first)).toMatch(/^GET \/c HTTP\/1\.1\r\nHost: [xy]\r\n\r\nA$/)
    const [near, far] = memoryPair()
    layerOf()
      .server((conn) => void conn.write(first))
      .receive(far)
    await near.write(Buffer.from('POST /c?d HTTP/1.0\r\n\r\nrest'))
    expect(Buffer.from((await near.read())!).toString()).toBe(`HTTP/1.1 200 OK\r\nX: 1\r\n${date}\r\nA`)
  })

  it('of the server may come in pieces, and its status means nothing', async () => {
    const [near, far] = memoryPair()
    const conn = await layerOf().client(dialerTo(near)).dial(serverAddress, { until: forever })
    const reading = conn.read()
    for (const piece of ['HTTP/1.1 404 N\r', '\n\r', '\nAB']) await far.write(Buffer.from(piece))
    expect(Buffer.from((await reading)!).toString()).toBe('AB')
    const endless = conn.read()
    await far.write(Buffer.from('C'))
    expect(await endless).toEqual(Uint8Array.of(67))
  })

  it('without an end is an error', async () => {
    const [near, far] = memoryPair()
    const conn = await layerOf().client(dialerTo(near)).dial(serverAddress, { until: forever })
    await far.write(new Uint8Array(9_000))
    await expect(conn.read()).rejects.toMatchObject({ code: 'HTTP_BAD_RESPONSE' })
  })

  it('takes every path of the list, decoded, and refuses others in V2Ray’s words', async () => {
    const layer = layerOf(config)
    for (const target of ['/a%20b', '/💃']) {
      const [near, far] = memoryPair()
      const got = new Promise<Uint8Array | null>((resolve) => {
        layer.server((conn) => void conn.read().then(resolve)).receive(far)
      })
      await near.write(Buffer.from(`GET ${target} HTTP/1.1\r\n\r\nrest`))
      expect(Buffer.from((await got)!).toString()).toBe('rest')
    }
    expect(await answerOf(layer, 'GET /d HTTP/1.1\r\n\r\n')).toBe(refusal('404 Not Found'))
    for (const garbage of [
      '\x16\x03\x01\x02',
      'GET /c\r\n\r\n',
      'hello there you\r\n',
      `GET /c HTTP/1.1\r\nX: ${'a'.repeat(9_000)}`,
    ])
      expect(await answerOf(layer, garbage)).toBe(refusal('400 Bad Request'))
  })

  it('is asked for by path and reason in the log, and cut after its time', async () => {
    const { deps, clock, failures } = layerRig()
    const layer = disguiseLayer(single, deps)
    await answerOf(layer, 'GET /d HTTP/1.1\r\n\r\n')
    expect(failures[0]).toMatchObject({ code: 'UPGRADE_REJECTED', message: expect.stringContaining('"/d"') })
    const [near, far] = memoryPair()
    const passage = layer.server(() => {})
    passage.receive(far)
    await near.write(Buffer.from('GET /c HT'))
    clock.advance(60_000)
    await expect(near.read()).rejects.toThrow()
    expect(failures[1]).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' })
  })

  it('gives V2Ray’s 400 when the server hangs up without a word', async () => {
    const [near, far] = memoryPair()
    const said: string[] = []
    const carrier: typeof far = Object.create(far, {
      write: { value: (bytes: Uint8Array) => void said.push(Buffer.from(bytes).toString()) },
      read: { value: () => far.read() },
      destroy: { value: () => far.destroy() },
      gone: { get: () => far.gone },
    })
    const accepted = new Promise<void>((resolve) => {
      layerOf()
        .server((conn) => {
          conn.destroy()
          resolve()
        })
        .receive(carrier)
    })
    await near.write(Buffer.from('GET /c HTTP/1.1\r\n\r\nx'))
    await accepted
    expect(said).toEqual([refusal('400 Bad Request')])
  })
})

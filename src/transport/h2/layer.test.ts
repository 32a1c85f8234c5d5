import { describe, expect, it } from 'vitest'
import { meetOverHttp2, requestOverHttp2, strangerOverHttp2 } from '../../../test/support/http2-rig.ts'
import { layerRig } from '../../../test/support/layer-pair.ts'
import { suiteUnlessBun, waitingWrites } from '../../../test/support/runtime.ts'
import type { H2Config } from '../../settings/http2.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { h2Layer } from './layer.ts'

const plain: H2Config = {
  hosts: [],
  path: '/h2',
  method: 'PUT',
  headers: {},
  forwarded: true,
  keepAlive: { idleMs: 0, timeoutMs: 20_000, withoutStreams: false },
}
const layerOf = (config: Partial<H2Config> = {}, deps: Partial<UpgradeDeps> = {}) =>
  h2Layer({ ...plain, ...config }, layerRig(deps).deps)

connSuite('h2 over TCP', () => meetOverHttp2(layerOf(), { tcp: true }), {
  halfClose: false,
  test: suiteUnlessBun('no back-pressure in node:http2', waitingWrites),
})

describe('h2', () => {
  it('asks as V2Ray does', async () => {
    expect(await requestOverHttp2(layerOf())).toMatchObject({
      ':method': 'PUT',
      ':scheme': 'https',
      ':path': '/h2',
      ':authority': 'www.example.com',
      'accept-encoding': 'identity',
    })
    const own = layerOf({ hosts: ['a.example', 'b.example'], method: 'POST', path: '/x?y', headers: { 'x-a': 'b' } })
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const headers = await requestOverHttp2(own)
      expect(headers).toMatchObject({ ':method': 'POST', ':path': '/x?y', 'x-a': 'b' })
      seen.add(headers[':authority']!)
    }
    expect([...seen].sort()).toEqual(['a.example', 'b.example'])
  })

  it.each([
    ['the path', {}],
    ['what begins with it', { ':path': '/h2/more?x' }],
    ['any method', { ':method': 'GET' }],
  ])('%s is answered before anything of the body comes', async (_, over) => {
    const layer = layerOf({ headers: { 'x-a': 'b' } })
    const stranger = await strangerOverHttp2(layer, { ':method': 'PUT', ':path': '/h2', ...over })
    expect(await stranger.headers).toMatchObject({ ':status': 200, 'cache-control': 'no-store', 'x-a': 'b' })
    const conn = await stranger.accepted
    expect(conn.info).toMatchObject({ layers: ['memory', 'h2'], halfClose: 'none' })
    await stranger.close()
  })

  it.each([
    ['another path', {}, { ':path': '/' }, 'the path here is /h2'],
    ['another host', { hosts: ['a.example'] }, {}, 'the host here is a.example'],
    ['another method, where it is written out', { servedMethod: 'POST' }, {}, 'the method here is POST'],
  ])('%s meets a web server without pages', async (_, config, over, reason) => {
    const rig = layerRig()
    const stranger = await strangerOverHttp2(h2Layer({ ...plain, ...config }, rig.deps), {
      ':method': 'PUT',
      ':path': '/h2',
      ...over,
    })
    expect(await stranger.headers).toMatchObject({ ':status': 404, server: 'nginx/1.22.1' })
    expect(rig.failures[0]?.message).toContain(reason)
    await stranger.close()
  })
})

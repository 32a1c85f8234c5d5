import { describe, expect, it } from 'vitest'
import { meetOverHttp2, requestOverHttp2, strangerOverHttp2 } from '../../../test/support/http2-rig.ts'
import { layerRig } from '../../../test/support/layer-pair.ts'
import { suiteUnlessBun, waitingWrites } from '../../../test/support/runtime.ts'
import type { GrpcConfig } from '../../settings/http2.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { grpcLayer } from './layer.ts'

const plain: GrpcConfig = {
  serviceName: 'svc',
  multi: false,
  authority: '',
  userAgent: 'golang',
  forwarded: true,
  keepAlive: { idleMs: 0, timeoutMs: 20_000, withoutStreams: false },
}
const layerOf = (config: Partial<GrpcConfig> = {}, deps: Partial<UpgradeDeps> = {}) =>
  grpcLayer({ ...plain, ...config }, layerRig(deps).deps)

connSuite('grpc over memory', () => meetOverHttp2(layerOf()), {
  halfClose: false,
  test: suiteUnlessBun('no back-pressure in node:http2', waitingWrites),
})

describe('gRPC', () => {
  it('asks as Xray does', async () => {
    const asked = async (config: Partial<GrpcConfig>, deps: Partial<UpgradeDeps> = {}) => {
      const {
        ':path': path,
        ':authority': authority,
        'user-agent': agent,
      } = await requestOverHttp2(layerOf(config, deps))
      return { path, authority, agent }
    }
    expect(await requestOverHttp2(layerOf())).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/svc/Tun',
      ':authority': 'proxy.example:8080',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    expect(await asked({ multi: true, authority: 'a.example' })).toEqual({
      path: '/svc/TunMulti',
      authority: 'a.example',
    })
    expect(await asked({ serviceName: 'a/b', userAgent: 'mine' }, { secure: true, serverName: 'sni.example' })).toEqual(
      {
        path: '/a%2Fb/Tun',
        authority: 'sni.example',
        agent: 'mine',
      },
    )
  })

  it('says nothing before there is something to say, and ends with the trailers of gRPC', async () => {
    const stranger = await strangerOverHttp2(layerOf(), {
      ':method': 'POST',
      ':path': '/svc/Tun',
      'content-type': 'application/grpc+proto',
    })
    expect(stranger.answered).toBe(false)
    const conn = await stranger.accepted
    await conn.write(Buffer.from('hello'))
    expect(await stranger.headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc' })
    expect((await stranger.read())?.toString('hex')).toBe('00000000070a0568656c6c6f')
    await conn.closeWrite()
    conn.destroy()
    expect(await stranger.trailers).toMatchObject({ 'grpc-status': '0' })
    expect(await stranger.read()).toBeNull()
    await stranger.close()
  })

  it('that ends without a word has its trailers alone', async () => {
    const stranger = await strangerOverHttp2(layerOf(), {
      ':method': 'POST',
      ':path': '/svc/TunMulti',
      'content-type': 'application/grpc',
    })
    const conn = await stranger.accepted
    conn.destroy()
    expect(await stranger.headers).toMatchObject({ ':status': 200, 'grpc-status': '0' })
    expect(await stranger.read()).toBeNull()
    await stranger.close()
  })

  it.each([
    ['another service', { ':path': '/other/Tun' }, 'the serviceName here is "svc"'],
    ['another method', { ':method': 'GET' }, 'a gRPC call is made with POST'],
    ['HEAD', { ':method': 'HEAD' }, 'a gRPC call is made with POST'],
    ['another type', { 'content-type': 'text/plain' }, 'it is no gRPC call'],
  ])('%s meets a web server without pages, and the log says why', async (_, over, reason) => {
    const rig = layerRig()
    const stranger = await strangerOverHttp2(grpcLayer(plain, rig.deps), {
      ':method': 'POST',
      ':path': '/svc/Tun',
      'content-type': 'application/grpc',
      ...over,
    })
    expect(await stranger.headers).toMatchObject({
      ':status': 404,
      server: 'nginx/1.22.1',
      'content-type': 'text/html',
      'content-length': '153',
    })
    const page = await stranger.readAll()
    expect(page.length).toBe((over as { ':method'?: string })[':method'] === 'HEAD' ? 0 : 153)
    expect(rig.failures.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(new RegExp(`^UPGRADE_REJECTED a request for .* \\(Host: "h.example:80"\\) .*${reason}`)),
    ])
    await stranger.close()
  })
})

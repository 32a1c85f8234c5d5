/** No time-out of a handshake or of a web server ends what came out of it, however long it is silent. */
import { expect, it } from 'vitest'
import { layerRig, meet } from '../../test/support/layer-pair.ts'
import { clientOptions, serverDeps, serverOptions } from '../../test/support/tls.ts'
import type { Layer } from '../core/dialer.ts'
import type { DisguiseConfig } from '../settings/disguise.ts'
import { grpcLayer } from './grpc/layer.ts'
import { h2Layer } from './h2/layer.ts'
import { httpUpgradeLayer } from './httpupgrade/layer.ts'
import { disguiseLayer } from './tcp/disguise-layer.ts'
import { tlsClientLayer, tlsServerLayer } from './tls/layer.ts'
import { fixed } from './tls/options.ts'
import type { UpgradeDeps } from './upgrade/model.ts'
import { webSocketLayer } from './ws/layer.ts'

const upgrade = { path: '/', host: '', servedHost: '', headers: {}, forwarded: false }
const head = { version: '1.1', headers: [] }
const disguise: DisguiseConfig = {
  request: { ...head, method: 'GET', paths: ['/'] },
  response: { ...head, status: '200', reason: 'OK' },
}
const tls = ({ env }: UpgradeDeps): Layer => ({
  name: 'tls',
  client: tlsClientLayer(fixed(clientOptions()), env).client,
  server: tlsServerLayer(fixed(serverOptions()), serverDeps({ clock: env.clock })).server,
})

const keepAlive = { idleMs: 0, timeoutMs: 0, withoutStreams: false }
const grpc = {
  serviceName: 'some.Service',
  multi: false,
  authority: '',
  userAgent: 'golang',
  keepAlive,
  forwarded: false,
}
const h2 = { hosts: [], path: '/', method: 'PUT', headers: {}, keepAlive, forwarded: false }

const layers: readonly (readonly [string, (deps: UpgradeDeps) => Layer])[] = [
  ['tls', tls],
  ['ws', (deps) => webSocketLayer({ ...upgrade, heartbeatMs: 0 }, deps)],
  ['httpupgrade', (deps) => httpUpgradeLayer({ ...upgrade, fastOpen: false }, deps)],
  ['grpc', (deps) => grpcLayer(grpc, deps)],
  ['h2', (deps) => h2Layer(h2, deps)],
  ['tcp with the http header', (deps) => disguiseLayer(disguise, deps)],
]

it.each(layers)('%s', async (_name, make) => {
  const { deps, clock, failures } = layerRig()
  const first = Uint8Array.of(1)
  const { a, b } = await meet(make(deps), first)
  expect(await b.read()).toEqual(first)
  clock.advance(24 * 3_600_000)
  await b.write(Uint8Array.of(2))
  expect(await a.read()).toEqual(Uint8Array.of(2))
  await a.write(Uint8Array.of(3))
  expect(await b.read()).toEqual(Uint8Array.of(3))
  expect(failures).toEqual([])
  for (const conn of [a, b]) conn.destroy()
})

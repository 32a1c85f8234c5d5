/** A dial whose time is over before it begins connects nothing, whoever dials. */

import { afterEach, beforeEach, expect, it } from 'vitest'
import { apiOutbound } from '../../src/api/grpc/outbound.ts'
import { connect } from '../../src/app/connect.ts'
import { systemClock } from '../../src/app/instance/env.ts'
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { PacketDialer } from '../../src/core/datagrams/packet.ts'
import type { Dialer, Listening } from '../../src/core/dialer.ts'
import { type Env, silentLogger } from '../../src/core/env.ts'
import { ProxyError } from '../../src/core/errors.ts'
import type { Resolve } from '../../src/core/ground.ts'
import { forever, Life } from '../../src/core/lifetime.ts'
import { systemNames } from '../../src/dns/client/system.ts'
import { udpDialer } from '../../src/net/datagrams/udp.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { happyEyeballs } from '../../src/net/names/happy-eyeballs.ts'
import { tcpDialer, tcpListener } from '../../src/net/tcp.ts'
import { createBlackhole } from '../../src/proxy/blackhole/outbound.ts'
import { createFreedom } from '../../src/proxy/freedom/outbound.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'
import type { FreedomSettings } from '../../src/settings/model.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { tlsClient } from '../support/tls.ts'
import { testUser } from '../support/vmess-pair.ts'

const over = new Life()
over.end(new ProxyError('DIAL_ABORTED', 'it was over before'))

const env: Env = { clock: systemClock, random: fakeRandom(1), log: silentLogger }
let at: Address
let listening: Listening
const accepted: Conn[] = []
let asked: string[] = []

beforeEach(async () => {
  asked = []
  listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => accepted.push(conn))
  at = listening.address
})
afterEach(async () => {
  for (const conn of accepted.splice(0)) conn.destroy()
  await listening.close()
})

/** Pays no heed to anything. */
const resolve: Resolve = async (host) => {
  asked.push(host)
  return ['127.0.0.1']
}
const named = (): Address => ({ ...at, host: 'name.test' })
const unless = (tcp: Dialer): Dialer => happyEyeballs(tcp, { resolve, clock: env.clock, log: silentLogger })

const tls = tlsClient({ disableSystemRoot: true })

const freedom = (domainStrategy: FreedomSettings['domainStrategy']) =>
  createFreedom('direct', { domainStrategy, level: 0 } as FreedomSettings, {
    dialer: unless(tcpDialer()),
    udp: udpDialer(),
    resolve,
    names: systemNames(resolve),
    env,
  })

const vmess = () =>
  createVmessOutbound(
    'proxy',
    { servers: [{ address: at, users: [{ ...testUser(), security: 'aes-128-gcm' }] }] },
    { dialer: tcpDialer(), env, auto: 'aes-128-gcm', legacyHeader: false },
  )

const streams: [string, () => Dialer, (() => Address)?][] = [
  ['TCP', () => tcpDialer()],
  ['a unix socket', () => tcpDialer(), () => ({ host: '', port: 0, path: '/nowhere' })],
  ['TCP by name', () => unless(tcpDialer()), named],
  ['TLS', () => tls.client(tcpDialer())],
  ['VMess', vmess],
  ['freedom', () => freedom('AsIs')],
  ['freedom by name', () => freedom('AsIs'), named],
  ['freedom that looks names up', () => freedom('UseIP'), named],
  ['blackhole', () => createBlackhole('no', { response: 'none' }, env)],
  ['blackhole that answers', () => createBlackhole('no', { response: 'http' }, env)],
  ['the API', () => apiOutbound('api', () => void asked.push('api'))],
]

it.each(streams)('%s', async (_name, dialer, to = () => at) => {
  await expect(dialer().dial(to(), { until: over })).rejects.toThrow('it was over before')
  const honest = await tcpDialer().dial(at, { until: forever })
  await expect.poll(() => accepted.length).toBe(1)
  expect(asked.filter((name) => name === 'api')).toEqual([])
  honest.destroy()
})

const packets: [string, () => PacketDialer | undefined][] = [
  ['UDP', udpDialer],
  ['VMess', () => vmess().packets],
  ['freedom', () => freedom('AsIs').packets],
  ['blackhole', () => createBlackhole('no', { response: 'none' }, env).packets],
]

it.each(packets)('datagrams by %s, with and without a first target', async (_name, dialer) => {
  for (const first of [{}, { first: at }]) {
    await expect(dialer()!.open({ until: over, ...first })).rejects.toThrow('it was over before')
  }
})

it('TLS over a carrier that was opened all the same lets go of it', async () => {
  const [near, far] = memoryPair()
  const heedless: Dialer = { dial: async () => near }
  await expect(tls.client(heedless).dial(at, { until: over })).rejects.toThrow('it was over before')
  await expect.poll(() => far.gone).toBeDefined()
})

it('a name is not asked for', async () => {
  await expect(unless(tcpDialer()).dial(named(), { until: over })).rejects.toThrow('it was over before')
  expect(asked).toEqual([])
})

it('the library’s connect()', async () => {
  const server = `vmess://8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95@127.0.0.1:${at.port}?encryption=auto`
  const signal = AbortSignal.abort(new Error('it was over before'))
  await expect(connect(server, { host: 'a.test', port: 80, signal })).rejects.toThrow('it was over before')
})

/** Outbounds through outbounds, PROXY protocol headers and unix sockets, with V2Ray at one end and us at the other. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'
import { certificateFile, keyFile, type Root, testId } from './rig/configs.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import { door, freedom, freePorts, type Hop, withHops } from './rig/hops.ts'
import { socksConnect } from './rig/socks-client.ts'
import { checkTraffic, echoOnce, order, type TrafficPlan } from './rig/traffic.ts'
import { startTarget, type Target } from './target.ts'

const plan: TrafficPlan = { bulkBytes: 256 * 1024, rounds: 6, connections: 4 }
const pairings = (
  [
    ['ours', 'v2ray'],
    ['v2ray', 'ours'],
    ['ours', 'ours'],
  ] as const satisfies readonly (readonly [Program, Program])[]
).filter((pair) => hasV2ray || !(pair as readonly Program[]).includes('v2ray'))

let target: Target
let echo: Awaited<ReturnType<typeof udpEcho>>
let folder: string
beforeAll(async () => {
  target = await startTarget()
  echo = await udpEcho()
  folder = mkdtempSync(join(tmpdir(), 'vmess-chain-'))
})
afterAll(async () => {
  echo.close()
  rmSync(folder, { recursive: true })
  await target.close()
})

const vmessIn = (port: number, streamSettings: Root = {}): Root => ({
  listen: '127.0.0.1',
  port,
  protocol: 'vmess',
  settings: { clients: [{ id: testId, alterId: 0 }] },
  streamSettings,
})
const vmessOut = (port: number, streamSettings: Root = {}, more: Root = {}): Root => ({
  protocol: 'vmess',
  tag: 'server',
  settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id: testId, alterId: 0 }] }] },
  streamSettings,
  ...more,
})
const tlsIn = { security: 'tls', tlsSettings: { certificates: [{ certificateFile, keyFile }] } }
const verify = [{ usage: 'verify', certificateFile }]
const tlsOut = {
  security: 'tls',
  tlsSettings: { serverName: 'localhost', disableSystemRoot: true, certificates: verify },
}
const ws = { network: 'ws', wsSettings: { path: '/ray' } }

/** A VMess server that is reached through a SOCKS proxy of another program. */
interface ChainRow {
  readonly name: string
  readonly server: Root
  readonly client: Root
  readonly way: Root
  /** V2Ray 4.34 has no word for it. */
  readonly oursOnly?: boolean
}
const rows: readonly ChainRow[] = [
  { name: 'proxySettings', server: {}, client: {}, way: { proxySettings: { tag: 'front' } } },
  {
    name: 'proxySettings: the transport is dropped, TLS stays',
    server: tlsIn,
    client: { ...ws, ...tlsOut },
    way: { proxySettings: { tag: 'front' } },
  },
  {
    name: 'proxySettings with transportLayer',
    server: { ...ws, ...tlsIn },
    client: { ...ws, ...tlsOut },
    way: { proxySettings: { tag: 'front', transportLayer: true } },
    oursOnly: true,
  },
  {
    name: 'dialerProxy',
    server: ws,
    client: { ...ws, sockopt: { dialerProxy: 'front' } },
    way: {},
    oursOnly: true,
  },
]

describe.each(rows)('vmess through a SOCKS proxy: $name', ({ server, client, way, oursOnly = false }) => {
  it.each(
    pairings.filter(([near, far]) => (oursOnly ? near === 'ours' : near !== far)),
  )('%s to %s', async (near, far) => {
    const [doorPort, frontPort, serverPort] = (await freePorts(3)) as [number, number, number]
    const front = {
      protocol: 'socks',
      tag: 'front',
      settings: { servers: [{ address: '127.0.0.1', port: frontPort }] },
    }
    const hops: Hop[] = [
      {
        program: near,
        inbounds: [door(doorPort)],
        outbounds: [vmessOut(serverPort, client, way), front],
        ports: [doorPort],
      },
      {
        program: far,
        inbounds: [
          { listen: '127.0.0.1', port: frontPort, protocol: 'socks', tag: 'front-in' },
          vmessIn(serverPort, server),
        ],
        outbounds: [freedom],
        ports: [frontPort, serverPort],
      },
    ]
    await withHops(hops, async ([client, proxy]) => {
      await checkTraffic((name) => socksConnect(doorPort, target, { name }), plan)
      const socks = await socksUdp(doorPort)
      socks.send(pattern(700), echo)
      expect((await socks.next()).bytes).toEqual(pattern(700))
      socks.close()
      await proxy!.logged(new RegExp(`accepted tcp:127.0.0.1:${serverPort}`))
      if (near === 'ours') await client!.logged(/\[door >> server >> front\]/)
    })
  })
})

describe('the PROXY protocol', () => {
  it.each([1, 2])('of version %d from our freedom to an inbound of V2Ray and of ours', async (proxyProtocol) => {
    const [doorPort, v2rayPort, oursPort] = (await freePorts(3)) as [number, number, number]
    const inbound = (port: number): Root => ({
      listen: '127.0.0.1',
      port,
      protocol: 'dokodemo-door',
      tag: 'in',
      settings: { address: target.host, port: target.port, network: 'tcp' },
      streamSettings: { tcpSettings: { acceptProxyProtocol: true } },
    })
    const peers = [
      ['v2ray', v2rayPort],
      ['ours', oursPort],
    ] as const satisfies readonly (readonly [Program, number])[]
    for (const [program, port] of peers.filter(([one]) => hasV2ray || one === 'ours')) {
      const out = { ...freedom, settings: { proxyProtocol, redirect: `127.0.0.1:${port}` } }
      const hops: Hop[] = [
        { program: 'ours', inbounds: [door(doorPort)], outbounds: [out], ports: [doorPort] },
        { program, inbounds: [inbound(port)], outbounds: [freedom], ports: [port] },
      ]
      await withHops(hops, async ([, server]) => {
        const wire = await socksConnect(doorPort, target)
        const { localPort } = wire.socket
        await order(wire, { mode: 'echo' })
        await echoOnce(wire, Buffer.from('hello'))
        await server!.logged(new RegExp(`127\\.0\\.0\\.1:${localPort} accepted`))
        wire.destroy()
      })
    }
  })
})

describe('unix sockets', () => {
  const abstract = process.platform === 'linux'
  it.each([
    ...pairings.map((pair) => ['a path', pair, false] as const),
    ...pairings
      .filter(([near, far]) => abstract && near !== far)
      .map((pair) => ['a padded abstract name', pair, true] as const),
  ])('%s, %s', async (_what, [near, far], padded) => {
    const [doorPort, unusedPort] = (await freePorts(2)) as [number, number]
    const name = `vmess-ds-${process.pid}-${doorPort}`
    const dsSettings = padded ? { path: name, abstract: true, padding: true } : { path: join(folder, name) }
    const stream = { network: 'domainsocket', dsSettings }
    const hops: Hop[] = [
      { program: near, inbounds: [door(doorPort)], outbounds: [vmessOut(unusedPort, stream)], ports: [doorPort] },
      { program: far, inbounds: [vmessIn(unusedPort, stream)], outbounds: [freedom], ports: [] },
    ]
    await withHops(hops, async ([, server]) => {
      await server!.logged(/started/)
      await checkTraffic((name) => socksConnect(doorPort, target, { name }), plan)
    })
  })
})

describe('sendThrough', () => {
  it('is where streams leave from', async () => {
    const sources: string[] = []
    const server: Server = createServer((socket) => {
      sources.push(socket.remoteAddress ?? '')
      socket.end('x')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const [doorPort] = (await freePorts(1)) as [number]
    const out = { ...freedom, sendThrough: '127.0.0.9' }
    await withHops([{ program: 'ours', inbounds: [door(doorPort)], outbounds: [out], ports: [doorPort] }], async () => {
      const wire = await socksConnect(doorPort, { host: '127.0.0.1', port })
      await wire.read(1)
      wire.destroy()
    })
    server.close()
    expect(sources).toEqual(['127.0.0.9'])
  })
})

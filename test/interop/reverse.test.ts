/** The reverse proxy with V2Ray 4.34 as the other end: streams and datagrams from the portal's side to servers behind the bridge. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'
import { type Root, testId } from './rig/configs.ts'
import { freePorts, hasV2ray, type Peer, type Program, startPeer, withPeers } from './rig/harness.ts'
import { door, freedom } from './rig/hops.ts'
import { startInside } from './rig/inside.ts'
import { socksConnect } from './rig/socks-client.ts'
import { checkTraffic, echoOnce, order, type TrafficPlan } from './rig/traffic.ts'
import { startTarget, type Target } from './target.ts'

const plan: TrafficPlan = { bulkBytes: 256 * 1024, rounds: 6, connections: 20 }
const domain = 'inner.example.com'
const pairings = (
  [
    ['ours', 'v2ray'],
    ['v2ray', 'ours'],
    ['ours', 'ours'],
  ] as const satisfies readonly (readonly [Program, Program])[]
).filter((pair) => hasV2ray || !(pair as readonly Program[]).includes('v2ray'))

let target: Target
let echo: Awaited<ReturnType<typeof udpEcho>>
beforeAll(async () => {
  target = await startTarget()
  echo = await udpEcho()
})
afterAll(async () => {
  echo.close()
  await target.close()
})

/** Users come in by the door, bridges by the other inbound; freedom is there for neither. */
const portalFile = (doorPort: number, serverPort: number): Root => ({
  log: { loglevel: 'debug' },
  reverse: { portals: [{ tag: 'portal', domain }] },
  inbounds: [
    door(doorPort),
    {
      tag: 'server',
      listen: '127.0.0.1',
      port: serverPort,
      protocol: 'vmess',
      settings: { clients: [{ id: testId }] },
    },
  ],
  outbounds: [{ protocol: 'blackhole' }],
  routing: {
    rules: [
      { type: 'field', inboundTag: ['server'], domain: [`full:${domain}`], outboundTag: 'portal' },
      { type: 'field', inboundTag: ['door'], outboundTag: 'portal' },
    ],
  },
})

const bridgeFile = (serverPort: number): Root => ({
  log: { loglevel: 'debug' },
  reverse: { bridges: [{ tag: 'bridge', domain }] },
  outbounds: [
    { protocol: 'blackhole' },
    freedom,
    {
      tag: 'tunnel',
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port: serverPort, users: [{ id: testId, alterId: 0 }] }] },
    },
  ],
  routing: {
    rules: [
      { type: 'field', inboundTag: ['bridge'], domain: [`full:${domain}`], outboundTag: 'tunnel' },
      { type: 'field', inboundTag: ['bridge'], outboundTag: 'direct' },
    ],
  },
})

const start = (program: Program, name: string, file: Root, ports: readonly number[]): Promise<Peer> =>
  program === 'ours' ? startInside(file, name) : startPeer(program, file, { ports, name })

interface Ends {
  readonly doorPort: number
  /** Resolves when so many carriers have been taken so far. */
  carriers(count: number): Promise<unknown>
}

async function joined(outer: Program, inner: Program, body: (ends: Ends) => Promise<void>): Promise<void> {
  const [doorPort, serverPort] = (await freePorts(2)) as [number, number]
  const portal = await start(outer, 'portal', portalFile(doorPort, serverPort), [doorPort, serverPort])
  const bridge = await start(inner, 'bridge', bridgeFile(serverPort), [])
  const line = inner === 'ours' ? 'the portal has taken a carrier' : 'a bridge has connected to the portal'
  const carriers = (count: number) =>
    (inner === 'ours' ? bridge : portal).logged(new RegExp(`(?:${line}[^]*){${count}}`))
  await withPeers([portal, bridge], async () => {
    await carriers(1)
    await body({ doorPort, carriers })
  })
}

describe.each(pairings)('portal %s, bridge %s', (outer, inner) => {
  it('carries streams and datagrams to what is behind the bridge', () =>
    joined(outer, inner, async ({ doorPort }) => {
      await checkTraffic((name) => socksConnect(doorPort, target, { name }), plan)
      const socks = await socksUdp(doorPort)
      socks.send(pattern(700), echo)
      expect((await socks.next()).bytes).toEqual(pattern(700))
      await socks.close()
    }))
})

/** Every two seconds each side looks whether it is time. */
describe.concurrent.each(
  pairings.filter(([outer, inner]) => outer !== inner),
)('portal %s, bridge %s', (outer, inner) => {
  it('have another carrier after 256 streams, while the first one goes on', () =>
    joined(outer, inner, async ({ doorPort, carriers }) => {
      const first = await socksConnect(doorPort, target)
      await order(first, { mode: 'echo' })
      for (let i = 0; i < 256; i += 32) {
        const some = await Promise.all(Array.from({ length: 32 }, () => socksConnect(doorPort, target)))
        for (const wire of some) wire.destroy()
      }
      await carriers(2)
      await echoOnce(first, Buffer.from('still here'))
      first.destroy()
      await checkTraffic((name) => socksConnect(doorPort, target, { name }), { ...plan, connections: 2 })
    }))
})

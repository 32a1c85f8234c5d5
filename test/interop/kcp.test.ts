/**
 * mKCP against the real V2Ray in both roles, with every header and with and without a seed, and against ourselves. Ours runs
 * in this process and V2Ray twice, each with all settings at once.
 */
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, createServer } from '../../src/index.ts'
import { testId } from './rig/configs.ts'
import { freePorts, hasV2ray, type Peer, startPeer } from './rig/harness.ts'
import { socksConnect } from './rig/socks-client.ts'
import { checkTraffic, fullPlan, type TrafficPlan } from './rig/traffic.ts'
import { Wire } from './rig/wire.ts'
import { startTarget, type Target } from './target.ts'

const headers = ['none', 'srtp', 'utp', 'wechat-video', 'dtls', 'wireguard'] as const
const cells = headers.flatMap((type) =>
  [undefined, 'a seed'].map((seed) => ({ name: seed ? `${type} with a seed` : type, seed, type })),
)
const smallPlan: TrafficPlan = { bulkBytes: 300_000, rounds: 12, connections: 4 }
type Cell = (typeof cells)[number]

const streamSettings = ({ type, seed }: Pick<Cell, 'type' | 'seed'>, over: object = {}) => ({
  network: 'kcp',
  kcpSettings: { header: { type }, ...(seed !== undefined && { seed }), tti: 10, ...over },
})

const inboundOf = (cell: Cell, port: number) => ({
  listen: '127.0.0.1',
  port,
  protocol: 'vmess' as const,
  settings: { clients: [{ id: testId }] },
  streamSettings: streamSettings(cell),
})

const outboundOf = (cell: Cell, port: number, over: object = {}) => ({
  protocol: 'vmess' as const,
  settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id: testId, security: 'aes-128-gcm' }] }] },
  streamSettings: streamSettings(cell, over),
})

const freedom = [{ protocol: 'freedom' as const }]
const ours = createServer({ inbounds: cells.map((cell) => inboundOf(cell, 0)), outbounds: freedom })
let target: Target
let oursAt: readonly number[]
let v2rayAt: readonly number[]
let doors: readonly number[]
let peers: readonly Peer[] = []

beforeAll(async () => {
  target = await startTarget()
  oursAt = (await ours.listen()).map(({ address }) => address.port)
  if (!hasV2ray) return
  const ports = await freePorts(2 * cells.length + 1)
  v2rayAt = ports.slice(0, cells.length)
  doors = ports.slice(cells.length, 2 * cells.length)
  const ready = ports.at(-1)!
  const socks = (port: number, tag: string) => ({ tag, listen: '127.0.0.1', port, protocol: 'socks' })
  const server = {
    inbounds: [...cells.map((cell, i) => inboundOf(cell, v2rayAt[i]!)), socks(ready, 'ready')],
    outbounds: freedom,
  }
  const client = {
    inbounds: doors.map((port, i) => socks(port, `door ${i}`)),
    outbounds: cells.map((cell, i) => ({ tag: `out ${i}`, ...outboundOf(cell, oursAt[i]!) })),
    routing: {
      rules: cells.map((_, i) => ({ type: 'field', inboundTag: [`door ${i}`], outboundTag: `out ${i}` })),
    },
  }
  peers = await Promise.all([
    startPeer('v2ray', server, { ports: [ready], name: 'server (v2ray)' }),
    startPeer('v2ray', client, { ports: doors, name: 'client (v2ray)' }),
  ])
})

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.stop()))
  await ours.close(0)
  await target.close()
})

async function throughOurs(cell: Cell, port: number, plan: TrafficPlan, over: object = {}): Promise<void> {
  const client = createClient(outboundOf(cell, port, over))
  try {
    await checkTraffic(async (name) => new Wire((await client.connect(target)) as unknown as Socket, name), plan)
  } finally {
    await client.close()
  }
}

if (!hasV2ray) {
  it('has V2Ray to talk to', () => {
    if (process.env.CI === 'true') expect.fail('v2ray is not on the PATH, and CI does not skip interoperability')
    console.warn('\n*** v2ray is not on the PATH: mKCP is tested against ourselves only ***\n')
  })
}

describe.each(cells)('mKCP, $name', (cell) => {
  const index = cells.indexOf(cell)
  it.runIf(hasV2ray)('ours to v2ray', () => throughOurs(cell, v2rayAt[index]!, smallPlan), 30_000)
  it.runIf(hasV2ray)(
    'v2ray to ours',
    () => checkTraffic((name) => socksConnect(doors[index]!, target, { name }), smallPlan),
    30_000,
  )
})

describe('mKCP, ours to ours', () => {
  it(
    'carries 4 MB both ways at once, and 40 connections at once',
    () => throughOurs(cells[0]!, oursAt[0]!, fullPlan),
    30_000,
  )
  it(
    'does so with congestion control and a seed',
    () => throughOurs(cells[1]!, oursAt[1]!, smallPlan, { congestion: true }),
    30_000,
  )
})

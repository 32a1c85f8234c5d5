/**
 * Our server sends clients on to its moving ports: V2Ray as client, and ours. VMESS_LONG=1 adds the run across two changes
 * of ports.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningInbound } from '../../src/app/inbound/running-inbound.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { ProxyError } from '../../src/core/errors.ts'
import { clientConfig, type Root, testId } from './rig/configs.ts'
import { dynamicPortConfig, inRange, type PortRange, someRange, steadyRequests } from './rig/dynamic-port.ts'
import { freePorts, hasV2ray, type Program, startPeer, withPeers } from './rig/harness.ts'
import { socksConnect } from './rig/socks-client.ts'
import { echoOnce, order } from './rig/traffic.ts'
import type { Wire } from './rig/wire.ts'
import { startTarget, type Target } from './target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

const email = 'carol@home.lan'

/** A server of ours in this process. */
class Server {
  readonly instance: Instance
  /** Inbound by which each request came. */
  readonly seen: string[] = []

  constructor(config: object) {
    const loaded = loadConfigValue(config)
    if (!loaded.config) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
    const observer = { opened: ({ inboundTag }: { inboundTag: string }) => void this.seen.push(inboundTag) }
    this.instance = new Instance(loaded.config, { env: systemEnv(), observers: [observer] })
  }

  get front(): RunningInbound {
    return this.instance.inbounds[0]!
  }

  get moving(): RunningInbound {
    return this.instance.inbounds[1]!
  }
}

async function withServer<T>(
  config: (frontPort: number, range: PortRange) => object,
  body: (server: Server, frontPort: number, range: PortRange) => Promise<T>,
): Promise<T> {
  const [frontPort] = (await freePorts(1)) as [number]
  const range = someRange()
  const server = new Server(config(frontPort, range))
  try {
    await server.instance.start()
    return await body(server, frontPort, range)
  } finally {
    await server.instance.stop(0)
  }
}

/** A client for the front door, in a process of its own if it is V2Ray. */
async function withClient<T>(
  program: Program,
  link: { readonly port: number; readonly alterId: number },
  body: (open: (name: string) => Promise<Wire>) => Promise<T>,
): Promise<T> {
  const [socksPort] = (await freePorts(1)) as [number]
  const config = clientConfig(link, { socksPort })
  const open = (name: string) => socksConnect(socksPort, target, { name })
  if (program === 'v2ray') {
    const client = await startPeer('v2ray', config, { ports: [socksPort], name: 'client (v2ray)' })
    return withPeers([client], () => body(open))
  }
  const client = new Server(config).instance
  await client.start()
  return body(open).finally(() => client.stop(0))
}

async function request(open: (name: string) => Promise<Wire>, name: string): Promise<void> {
  const wire = await opened(open, name)
  await echoOnce(wire, Buffer.from(`and this is ${name}`))
  wire.destroy()
}

/** A connection that has carried something both ways. */
async function opened(open: (name: string) => Promise<Wire>, name: string): Promise<Wire> {
  const wire = await open(name)
  await order(wire, { mode: 'echo' })
  await echoOnce(wire, Buffer.from(name))
  return wire
}

const clients = hasV2ray ? (['ours', 'v2ray'] as const) : (['ours'] as const)
const pairings = clients.flatMap((client) => [0, 4].map((alterId) => ({ client, alterId })))

describe.each(pairings)('a client ($client, alterId $alterId) of our front door', ({ client, alterId }) => {
  const config = (frontPort: number, range: PortRange) => dynamicPortConfig({ frontPort, range, alterId, refresh: 5 })

  it('is answered at every request, and comes by the moving ports as well', () =>
    withServer(config, (server, port, range) =>
      withClient(client, { port, alterId }, async (open) => {
        for (let i = 0; i < 12; i++) await request(open, `request ${i}`)
        expect(server.seen).toHaveLength(12)
        expect(server.seen[0]).toBe('front')
        expect(server.seen.filter((tag) => tag === 'moving').length).toBeGreaterThanOrEqual(4)
        const listening = server.moving.addresses
        expect(listening).toHaveLength(2)
        expect(listening.every((address) => inRange(address.port, range))).toBe(true)
        expect([...server.moving.users!]).toEqual([expect.objectContaining({ email, alterId, level: 0 })])
      }),
    ))

  it('has one account on both, and leaves both when it is removed', () =>
    withServer(config, (server, port) =>
      withClient(client, { port, alterId }, async (open) => {
        const wires: Wire[] = []
        while (new Set(server.seen).size < 2 && wires.length < 20)
          wires.push(await opened(open, `wire ${wires.length}`))
        expect(new Set(server.seen)).toEqual(new Set(['front', 'moving']))
        const { accounts, users } = server.instance
        expect(accounts.get(email)?.members.size).toBe(wires.length)
        expect(users.remove(server.front, server.front.users!.find(email)!)).toBe(wires.length)
        for (const wire of wires) await wire.readSome().catch(() => null)
        expect(server.moving.users?.size).toBe(0)
        expect(accounts.size).toBe(0)
        for (const wire of wires) wire.destroy()
      }),
    ))
})

describe('the old spellings', () => {
  const old = (frontPort: number, range: PortRange) => ({
    inbound: {
      listen: '127.0.0.1',
      port: frontPort,
      protocol: 'vmess',
      settings: { clients: [{ id: testId, email }], features: { detour: { to: 'tag_to_detour' } } },
    },
    inboundDetour: [
      {
        tag: 'tag_to_detour',
        listen: '127.0.0.1',
        port: `${range.from}-${range.to}`,
        protocol: 'vmess',
        settings: { clients: [] },
        allocate: { strategy: 'random', concurrency: 2, refresh: 5 },
      },
    ],
    outbound: { protocol: 'freedom' },
  })

  it.each(clients)('of front door and moving ports work, and an empty list of users too: %s', (client) =>
    withServer(old, (server, port) =>
      withClient(client, { port, alterId: 0 }, async (open) => {
        for (let i = 0; i < 8; i++) await request(open, `request ${i}`)
        expect(server.seen.filter((tag) => tag === 'tag_to_detour').length).toBeGreaterThanOrEqual(2)
        expect([...server.moving.users!]).toEqual([expect.objectContaining({ email, alterId: 64 })])
      }),
    ))
})

describe('a front door without a way on', () => {
  const without = (detour: Root) => (frontPort: number, range: PortRange) => {
    const config = dynamicPortConfig({ frontPort, range, alterId: 0, refresh: 5 }) as { inbounds: Root[] }
    const settings = { ...(config.inbounds[0]!.settings as Root), detour }
    return { ...config, inbounds: [{ ...config.inbounds[0], settings }, ...config.inbounds.slice(1)] }
  }

  it.each(clients)('serves all requests itself: %s', (client) =>
    withServer(without({ to: 'nowhere' }), (server, port) =>
      withClient(client, { port, alterId: 0 }, async (open) => {
        for (let i = 0; i < 6; i++) await request(open, `request ${i}`)
        expect(server.seen).toEqual(Array.from({ length: 6 }, () => 'front'))
      }),
    ))

  it('does so too where the moving ports are gone', () =>
    withServer(
      (frontPort, range) => dynamicPortConfig({ frontPort, range, alterId: 0, refresh: 5 }),
      (server, port) =>
        withClient('ours', { port, alterId: 0 }, async (open) => {
          server.instance.removeInbound(server.moving)
          for (let i = 0; i < 4; i++) await request(open, `request ${i}`)
          expect(server.seen).toEqual(Array.from({ length: 4 }, () => 'front'))
        }),
    ))
})

it('a range of which nothing can be had keeps the server from starting', async () => {
  const [taken, frontPort] = (await freePorts(2)) as [number, number]
  await withServer(
    () => ({
      inbounds: [{ listen: '127.0.0.1', port: taken, protocol: 'socks' }],
      outbounds: [{ protocol: 'freedom' }],
    }),
    async () => {
      const range = { from: taken, to: taken }
      const { config } = loadConfigValue(dynamicPortConfig({ frontPort, range: someRange(), alterId: 0, refresh: 5 }))
      const moving = config!.inbounds[1]!
      const listen = [{ address: { host: '127.0.0.1', port: range.from } }]
      const inbounds = [config!.inbounds[0]!, { ...moving, listen }]
      const instance = new Instance({ ...config!, inbounds }, { env: systemEnv() })
      const failure = await instance.start().catch((error: ProxyError) => error.code)
      expect(failure).toBe('LISTEN_FAILED')
      expect(instance.listening).toEqual([])
      await instance.stop(0)
    },
  )
})

/** Both are commands; only the kernel tells where connections go. */
async function steadyThrough(client: Program, forMs: number) {
  const [frontPort, socksPort] = (await freePorts(2)) as [number, number]
  const ports = { frontPort, range: someRange(), alterId: 4, refresh: 1 }
  const started = await Promise.allSettled([
    startPeer('ours', dynamicPortConfig(ports), { ports: [frontPort], name: 'server (ours)' }),
    startPeer(client, clientConfig({ port: frontPort, alterId: 4 }, { socksPort }), {
      ports: [socksPort],
      name: `client (${client})`,
    }),
  ])
  const peers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  return withPeers(peers, async () => {
    for (const start of started) if (start.status === 'rejected') throw start.reason
    const open = (name: string) => socksConnect(socksPort, target, { name })
    const result = await steadyRequests(open, { everyMs: 250, forMs, range: ports.range })
    expect(result.failures).toEqual([])
    return result
  })
}

describe.runIf(process.platform === 'linux').each(clients)('steady traffic of the command, client %s', (client) => {
  it('uses front door and moving ports', { timeout: 60_000 }, async () => {
    const { requests, ports } = await steadyThrough(client, 3_000)
    expect(requests).toBeGreaterThanOrEqual(8)
    expect(ports.length).toBeGreaterThanOrEqual(1)
  })

  it.runIf(process.env.VMESS_LONG === '1')(
    'loses no request while the ports change twice',
    { timeout: 240_000 },
    async () => {
      const { requests, ports } = await steadyThrough(client, 150_000)
      console.log(`${client} to ours: ${requests} requests without a failure, moving ports: ${ports.join(', ')}`)
      expect(requests).toBeGreaterThanOrEqual(500)
      expect(ports.length, 'two ports in each of three periods').toBeGreaterThanOrEqual(5)
    },
  )
})

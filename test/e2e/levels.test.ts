/** The policy level of a user decides about the user's connections, on the server and on the client, until it is changed. */

import { type AddressInfo, createServer, connect as dialTcp, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Flow } from '../../src/app/flow/flow.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { reload } from '../../src/app/reload/reload.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { Config } from '../../src/settings/model.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'

const levels = {
  0: { handshake: 4, connIdle: 100, uplinkOnly: 50, downlinkOnly: 60 },
  3: { handshake: 9, connIdle: 10, uplinkOnly: 3, downlinkOnly: 7 },
}
const ann = { id: '11111111-1111-4111-8111-111111111111', email: 'ann@home.lan', level: 0 }
const bob = { id: '22222222-2222-4222-8222-222222222222', email: 'bob@home.lan', level: 3 }
const patience = { timeout: 15_000, interval: 2 }

/** Says "h" to everybody; ends only when it is told to. */
let target: Server
const accepted: Socket[] = []
let received = 0
const sockets: Socket[] = []
const instances: Instance[] = []

beforeEach(async () => {
  received = 0
  target = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket)
    socket.on('error', () => {}).on('data', (data) => (received += data.length))
    socket.write('h')
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  for (const socket of [...sockets.splice(0), ...accepted.splice(0)]) socket.destroy()
  for (const instance of instances.splice(0)) {
    const stopped = instance.stop(0)
    instance.kill()
    await stopped
  }
  target.close()
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

/** Each instance has a clock of its own, so that it is known whose limit it was. */
class Running {
  readonly clock = fakeClock(1_700_000_000_000)
  readonly env = { clock: this.clock, random: fakeRandom(1), log: silentLogger }
  readonly instance: Instance

  constructor(json: object) {
    this.instance = new Instance(configOf(json), { env: this.env })
    instances.push(this.instance)
  }

  static async start(json: object): Promise<Running> {
    const running = new Running(json)
    await running.instance.start()
    return running
  }

  get port(): number {
    return this.instance.listening[0]!.address.port
  }

  /** Seconds until this instance cuts the flow. */
  secondsLeft({ near }: Flow): number {
    let seconds = 0
    while (!near.gone && seconds < 1000) {
      this.clock.advance(1000)
      seconds++
    }
    return seconds
  }
}

function configOf(json: object): Config {
  const { config, problems } = loadConfigValue(json)
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

const serverConfig = (policy: object = { levels }) => ({
  policy,
  inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [ann, bob] } }],
  outbounds: [{ tag: 'direct', protocol: 'freedom' }],
})

/** A client with a port that leads to the target. `door` is the level of that port, `user` that of the account. */
const clientConfig = (
  serverPort: number,
  { id }: { id: string },
  { door = 0, user = 0 } = {},
  policy: object = {},
) => ({
  policy,
  inbounds: [
    {
      listen: '127.0.0.1',
      port: 0,
      protocol: 'dokodemo-door',
      settings: { address: '127.0.0.1', port: portOf(target), userLevel: door },
    },
  ],
  outbounds: [
    {
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port: serverPort, users: [{ id, level: user }] }] },
    },
  ],
})

/** A connection through both that has said one byte and heard one, and its flow in each. */
async function connected(client: Running, server: Running) {
  const before = new Set([...client.instance.flows, ...server.instance.flows])
  const socket = dialTcp({ host: '127.0.0.1', port: client.port, allowHalfOpen: true })
  sockets.push(socket)
  let heard = 0
  socket.on('error', () => {}).on('data', (data) => (heard += data.length))
  socket.write('x')
  await expect.poll(() => heard, patience).toBe(1)
  const newOf = (running: Running) => [...running.instance.flows].find((flow) => !before.has(flow))!
  return { socket, heard: () => heard, atClient: newOf(client), atServer: newOf(server), far: accepted.at(-1)! }
}

describe.each([
  { user: ann, level: 0 as const },
  { user: bob, level: 3 as const },
])('on the server, a user of level $level', ({ user, level }) => {
  const start = async () => {
    const server = await Running.start(serverConfig())
    const client = await Running.start(clientConfig(server.port, user))
    return { server, ...(await connected(client, server)) }
  }

  it('is idle for connIdle', async () => {
    const { server, atServer } = await start()
    expect(server.secondsLeft(atServer)).toBe(levels[level].connIdle)
  })

  it('has downlinkOnly after the end of the uplink', async () => {
    const { server, atServer, socket, far } = await start()
    const ended = new Promise((resolve) => far.once('end', resolve))
    socket.end()
    await ended
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.secondsLeft(atServer)).toBe(levels[level].downlinkOnly)
  })

  it('has uplinkOnly after the end of the downlink', async () => {
    const { server, atServer, socket, far } = await start()
    const ended = new Promise((resolve) => socket.once('end', resolve))
    far.end()
    await ended
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.secondsLeft(atServer)).toBe(levels[level].uplinkOnly)
  })
})

it('on the server, who has not said who he is has the handshake of level 0', async () => {
  const server = await Running.start(serverConfig())
  sockets.push(dialTcp({ host: '127.0.0.1', port: server.port }).on('error', () => {}))
  await expect.poll(() => server.instance.connections, patience).toBe(1)
  server.clock.advance(levels[0].handshake * 1000 - 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.instance.connections).toBe(1)
  server.clock.advance(1)
  await expect.poll(() => server.instance.connections, patience).toBe(0)
})

describe('on the client', () => {
  it.each([
    { name: 'that of the account', at: { user: 3 } },
    { name: 'that of the local port', at: { door: 3 } },
  ])('$name decides', async ({ at }) => {
    const server = await Running.start(serverConfig())
    const client = await Running.start(clientConfig(server.port, ann, at, { levels }))
    const { atClient } = await connected(client, server)
    expect(client.secondsLeft(atClient)).toBe(levels[3].connIdle)
  })
})

describe('what is counted', () => {
  /** 1001 bytes up, 2301 down, by each user; counters that are not 0. */
  async function counted(policy: object): Promise<Record<string, number>> {
    received = 0
    const server = await Running.start(serverConfig(policy))
    for (const [i, user] of [ann, bob].entries()) {
      const client = await Running.start(clientConfig(server.port, user))
      const { socket, heard, far } = await connected(client, server)
      socket.write(Buffer.alloc(1000))
      far.write(Buffer.alloc(2300))
      await expect.poll(() => [received, heard()], patience).toEqual([1001 * (i + 1), 2301])
    }
    return Object.fromEntries([...server.instance.counters].map(([name, { value }]) => [name, value]))
  }

  it('is everything without a word about it, each direction for itself', async () => {
    expect(await counted({})).toEqual({
      'user>>>ann@home.lan>>>traffic>>>uplink': 1001,
      'user>>>ann@home.lan>>>traffic>>>downlink': 2301,
      'user>>>bob@home.lan>>>traffic>>>uplink': 1001,
      'user>>>bob@home.lan>>>traffic>>>downlink': 2301,
      'inbound>>>in>>>traffic>>>uplink': 2002,
      'inbound>>>in>>>traffic>>>downlink': 4602,
      'outbound>>>direct>>>traffic>>>uplink': 2002,
      'outbound>>>direct>>>traffic>>>downlink': 4602,
    })
  })

  it('is decided by the level of the user, and by the system for inbounds and outbounds', async () => {
    const policy = {
      levels: { 0: { statsUserUplink: false }, 3: { statsUserDownlink: false } },
      system: { statsInboundUplink: false, statsOutboundDownlink: false },
    }
    expect(await counted(policy)).toEqual({
      'user>>>ann@home.lan>>>traffic>>>downlink': 2301,
      'user>>>bob@home.lan>>>traffic>>>uplink': 1001,
      'inbound>>>in>>>traffic>>>downlink': 4602,
      'outbound>>>direct>>>traffic>>>uplink': 2002,
    })
    expect(await counted({ system: { statsInboundDownlink: false, statsOutboundUplink: false } })).toMatchObject({
      'inbound>>>in>>>traffic>>>uplink': 2002,
      'outbound>>>direct>>>traffic>>>downlink': 4602,
    })
  })
})

it('a reload changes what a level means for connections that begin afterwards', async () => {
  const server = await Running.start(serverConfig())
  const client = await Running.start(clientConfig(server.port, bob))
  const older = await connected(client, server)
  const { port } = server
  const after = serverConfig({ levels: { 3: { connIdle: 5, statsUserUplink: false } } })
  const [inbound] = after.inbounds
  await reload(server.instance, configOf({ ...after, inbounds: [{ ...inbound, port: 0 }] }), server.env)
  expect(server.port).toBe(port)
  const younger = await connected(client, server)
  expect(server.secondsLeft(younger.atServer)).toBe(5)
  expect(5 + server.secondsLeft(older.atServer)).toBe(levels[3].connIdle)
})

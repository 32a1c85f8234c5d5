/** A server in this process, and what clients of every kind get of it by UDP and by multiplexing. */

import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { parseId } from '../../src/app/users/ids.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { forever } from '../../src/core/lifetime.ts'
import { limits } from '../../src/core/limits.ts'
import type { Session } from '../../src/core/session.ts'
import { tcpDialer } from '../../src/net/tcp.ts'
import { ClientSession } from '../../src/protocol/vmess/client.ts'
import { MuxPool } from '../../src/proxy/mux/pool.ts'
import { xudpOver } from '../../src/proxy/mux/xudp.ts'
import { VmessConn } from '../../src/proxy/vmess/conn.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'
import type { SecurityName } from '../../src/settings/model.ts'
import { pattern, reading, udpEcho, udpSocket } from '../support/udp.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const email = 'alice@example.com'
const env = systemEnv()
const dialer = tcpDialer({ keepAliveIdleS: -1 })
const sessions: Session[] = []

let instance: Instance
let echo: Awaited<ReturnType<typeof udpEcho>>
beforeAll(async () => {
  echo = await udpEcho()
  const { config, problems } = loadConfigValue({
    policy: { levels: { 0: { uplinkOnly: 1, downlinkOnly: 1 } } },
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [{ id, email }] } }],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  instance = new Instance(config, { env, observers: [{ routed: (session) => void sessions.push(session) }] })
  await instance.start()
})
afterAll(async () => {
  await instance.stop(0)
  echo.close()
})

const server = () => instance.listening[0]!.address
const experiments = { authenticatedLength: false, noTerminationSignal: false }
const user = { id: parseId(id), alterId: 0, level: 0, email: '', experiments }

const outboundOf = (security: SecurityName, more: Partial<typeof experiments> = {}) =>
  createVmessOutbound(
    'client',
    {
      servers: [{ address: server(), users: [{ ...user, security, experiments: { ...experiments, ...more } }] }],
    },
    { env, auto: 'aes-128-gcm', legacyHeader: false, dialer, packetEncoding: 'none' },
  )

/** A carrier: a connection by command 3. */
async function carrier() {
  const base = await dialer.dial(server(), { until: forever })
  const { clock, random } = env
  const session = new ClientSession({
    command: 'mux',
    target: { host: 'v1.mux.cool', port: 9527 },
    user,
    security: 'aes-128-gcm',
    experiments,
    clock,
    random,
  })
  const { sealer, opener } = session
  return new VmessConn(base, { sealer, opener, head: session.head() })
}

const muxPool = () => new MuxPool({ env, concurrency: 8, carriers: { dial: carrier } })

const securities: [string, SecurityName, Partial<typeof experiments>][] = [
  ['aes-128-gcm', 'aes-128-gcm', {}],
  ['chacha20-poly1305', 'chacha20-poly1305', {}],
  ['none', 'none', {}],
  ['zero', 'zero', {}],
  ['aes-128-cfb', 'aes-128-cfb', {}],
  ['aes-128-gcm with authenticated length', 'aes-128-gcm', { authenticatedLength: true }],
]

describe('command 2', () => {
  it.each(securities)('carries datagrams of every size with %s', async (_name, security, more) => {
    const conn = await outboundOf(security, more).packets!.open({ until: forever, first: echo })
    const next = reading(conn)
    for (const size of [1, 40, 512, 1200, 1400, conn.info.largest]) {
      expect(conn.send(pattern(size), echo)).toBe(true)
      const { bytes, from } = await next()
      expect(bytes).toEqual(pattern(size))
      expect(from).toBe(`127.0.0.1:${echo.port}`)
    }
    conn.destroy()
  })

  it('is a session of the user, with its bytes counted, that ends with its connection', async () => {
    const before = instance.accounts.get(email)!.used.uplink
    const conn = await outboundOf('aes-128-gcm').packets!.open({ until: forever, first: echo })
    conn.send(pattern(100), echo)
    await reading(conn)()
    const session = sessions.at(-1)!
    expect(session).toMatchObject({ network: 'udp', encoding: 'plain', target: { port: echo.port }, user: { email } })
    expect(instance.accounts.get(email)!.used.uplink).toBe(before + 100)
    conn.destroy()
    await expect.poll(() => instance.flows.get(session.id), { timeout: 4_000 }).toBeUndefined()
  })
})

describe('packetaddr', () => {
  it('is one session of the client to many targets, which are told apart, and anybody may answer', async () => {
    const others = await Promise.all([udpEcho(), udpEcho(), udpEcho()])
    const outbound = createVmessOutbound(
      'client',
      { servers: [{ address: server(), users: [{ ...user, security: 'aes-128-gcm' }] }] },
      { env, auto: 'aes-128-gcm', legacyHeader: false, dialer, packetEncoding: 'packet' },
    )
    const conn = await outbound.packets!.open({ until: forever, first: echo })
    const next = reading(conn)
    for (const target of [echo, ...others]) {
      conn.send(pattern(100), target)
      expect(await next()).toEqual({ bytes: pattern(100), from: `127.0.0.1:${target.port}` })
    }
    const session = sessions.at(-1)!
    expect(session).toMatchObject({ encoding: 'packetaddr', target: { host: '127.0.0.1', port: echo.port } })
    conn.destroy()
    await expect.poll(() => instance.flows.get(session.id), { timeout: 4_000 }).toBeUndefined()
    for (const other of others) other.close()
  })
})

describe('command 3', () => {
  it('is served without any setting: streams and datagrams on one connection', async () => {
    const target = createServer((socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const { port } = target.address() as AddressInfo
    const pool = muxPool()
    const until = forever
    const streams = await Promise.all(
      Array.from({ length: 5 }, () => pool.dial({ host: '127.0.0.1', port }, { until })),
    )
    for (const [at, stream] of streams.entries()) {
      await stream.write(pattern(1_000 + at))
      expect(await stream.read()).toEqual(pattern(1_000 + at))
    }
    const packets = await pool.packets(until, { addressed: false })
    const next = reading(packets)
    for (const size of [1, 40, 512, 1200, 1400, limits.muxDatagramMax]) {
      packets.send(pattern(size), echo)
      expect((await next()).bytes).toEqual(pattern(size))
    }
    expect(pool.carriers).toBe(1)
    expect(instance.connections).toBe(1)
    expect([...instance.flows].filter(({ session }) => session.network === 'tcp')).toHaveLength(5)
    expect(sessions.at(-1)?.encoding).toBe('mux')
    expect(instance.accounts.get(email)!.members.size).toBe(6)
    pool.close()
    await expect.poll(() => instance.flows.size).toBe(0)
    await new Promise((resolve) => target.close(resolve))
  })

  it('carries XUDP: one port towards the world for all targets, and the true source of every answer', async () => {
    const conn = xudpOver(await carrier(), env.clock, {})
    const next = reading(conn)
    const targets = await Promise.all(Array.from({ length: 5 }, () => udpSocket()))
    const ports = new Set<number>()
    for (const { port, next: come } of targets) {
      conn.send(pattern(9), { host: '127.0.0.1', port })
      ports.add((await come()).port)
    }
    expect(ports.size).toBe(1)
    const stranger = await udpSocket()
    stranger.send(pattern(7), [...ports][0]!)
    expect(await next()).toEqual({ bytes: pattern(7), from: `127.0.0.1:${stranger.port}` })
    conn.destroy()
    for (const { close } of [...targets, stranger]) close()
  })

  it('lets a client socket go on at another carrier, with the same port towards the world', async () => {
    const globalId = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const target = await udpSocket()
    const to = { host: '127.0.0.1', port: target.port }
    const first = await carrier()
    xudpOver(first, env.clock, { globalId }).send(pattern(3), to)
    const { port } = await target.next()
    first.destroy()
    const again = xudpOver(await carrier(), env.clock, { globalId })
    again.send(pattern(4), to)
    expect((await target.next()).port).toBe(port)
    again.destroy()
    target.close()
  })

  it('gives a user who was removed nothing more on a carrier that is open', async () => {
    const pool = muxPool()
    const packets = await pool.packets(forever, { addressed: false })
    packets.send(pattern(5), echo)
    await reading(packets)()
    const inbound = instance.inbound('in')!
    const account = inbound.users!.get(user.id)!
    instance.users.remove(inbound, account)
    const late = await pool.packets(forever, { addressed: false })
    late.send(pattern(5), echo)
    await expect(reading(late)()).rejects.toThrow()
    instance.users.add(inbound, account)
  })
})

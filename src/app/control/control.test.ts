import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dialTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfigValue } from '../../config/load.ts'
import type { ControlEvent } from '../../control/control.ts'
import { silentLogger } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { connect } from '../connect.ts'
import { systemEnv } from '../instance/env.ts'
import { Instance } from '../instance/instance.ts'
import { InstanceControl } from './control.ts'

const ann = '0b1f6c7d-9e2a-4d35-8c46-a7b8d9e0f112'
const bob = '9d8c7b6a-5f4e-4321-b0a9-8f7e6d5c4b3a'
const carol = '5c4b3a29-1807-4f6e-9d5c-4b3a29180716'

let instance: Instance
let control: InstanceControl
let echo: { port: number; close(): void }
let warned: string[]
const opened: Duplex[] = []

beforeEach(async () => {
  echo = await startEcho()
  const { config } = loadConfigValue({
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id: ann, email: 'Ann@home.lan' }] },
      },
      { tag: 'local', listen: '127.0.0.1', port: 0, protocol: 'socks' },
    ],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
    policy: { levels: { '0': { handshake: 1 } } },
  })
  warned = []
  const env = systemEnv({ ...silentLogger, warn: (_fields, message) => void warned.push(message) })
  instance = new Instance(config!, { env })
  await instance.start()
  const reload = async () => ({ problems: [] })
  control = new InstanceControl({ instance, env, version: '1.2.3', reload, restartLog: () => {} })
})

afterEach(async () => {
  for (const stream of opened.splice(0)) stream.destroy()
  await instance.stop(0)
  echo.close()
})

async function startEcho(): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: (server.address() as AddressInfo).port, close }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A stream of the user with this id to the echo, known to work. */
async function open(id: string, tag = 'in'): Promise<Duplex> {
  const { port } = instance.listening.find((at) => at.tag === tag)!.address
  const settings = { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] }
  const stream = await connect({ protocol: 'vmess', settings }, { host: '127.0.0.1', port: echo.port })
  opened.push(stream.on('error', () => {}))
  stream.write('hello')
  const [answer] = await Promise.race([once(stream, 'data'), once(stream, 'end').then(() => [''])])
  if (String(answer) !== 'hello') throw new Error('no answer')
  return stream
}

/** Whether the server has let go of a stream. */
const gone = (stream: Duplex): boolean => stream.readableEnded || stream.destroyed

describe('users', () => {
  it('are shown once by their e-mail, with their limits, their traffic and where they come from', async () => {
    await open(ann)
    expect(await control.users()).toEqual([
      {
        email: 'Ann@home.lan',
        inbounds: [{ tag: 'in', id: '0b1f6c7d…', level: 0, alterId: 0 }],
        limits: expect.objectContaining({ enabled: true, quota: 0 }),
        used: { uplink: 5, downlink: 5 },
        firstUse: null,
        connections: 1,
        addresses: ['127.0.0.1'],
      },
    ])
    expect((await control.user('ANN@home.lan'))?.email).toBe('Ann@home.lan')
    expect(await control.user('nobody@home.lan')).toBeUndefined()
  })

  it('connect as soon as they are added, with an id of their own', async () => {
    await expect(open(bob)).rejects.toThrow()
    expect((await control.addUser('in', { id: bob, email: 'bob@home.lan', level: 1 })).user.inbounds[0]?.level).toBe(1)
    await open(bob)
    const { id } = await control.addUser('in', { email: 'carol@home.lan' })
    await open(id)
    expect(await control.status()).toMatchObject({ users: 3, sessions: 2, ready: true, version: '1.2.3' })
  })

  it.each([
    ['CONTROL_CONFLICT', 'in', { email: 'ann@HOME.lan' }],
    ['CONTROL_CONFLICT', 'in', { id: ann, email: 'new@home.lan' }],
    ['CONTROL_NOT_FOUND', 'elsewhere', { email: 'new@home.lan' }],
    ['CONTROL_NOT_FOUND', 'local', { email: 'new@home.lan' }],
    ['CONTROL_INVALID', 'in', { email: '', limits: { quota: 1 } }],
    ['CONTROL_INVALID', 'in', { email: 'two\nlines' }],
    ['USER_INVALID_ID', 'in', { id: 'a string that is too long for a custom id', email: 'new@home.lan' }],
  ])('are refused with %s in %s: %j', async (code, tag, user) => {
    await expect(control.addUser(tag, user)).rejects.toMatchObject({ code })
    expect(await control.users()).toHaveLength(1)
  })

  it('are refused in an inbound that is not there, with the tags that are', async () => {
    const hint = () =>
      control.addUser('elsewhere', { email: 'new@home.lan' }).then(
        () => undefined,
        (error: ProxyError) => error.hint,
      )
    expect(await hint()).toBe('tags of inbounds are "in", "local"')
    const local = { listen: '127.0.0.1', port: 0, protocol: 'socks' }
    for (let i = 3; i <= 10; i++) await control.addInbound({ ...local, tag: `t${i}` })
    expect(await hint()).toBe('tags of inbounds are "in", "local", "t3", "t4", "t5", "t6", "t7", "t8" and 2 more')
  })

  it('lose their sessions when they are removed, and nobody else does', async () => {
    await control.addUser('in', { id: bob, email: 'bob@home.lan' })
    const [mine, other] = [await open(ann), await open(bob)]
    expect(await control.removeUser('ann@home.lan')).toBe(1)
    await expect.poll(() => gone(mine)).toBe(true)
    await expect(open(ann)).rejects.toThrow()
    other.write('still here')
    expect(String((await once(other, 'data'))[0])).toBe('still here')
    await expect(control.removeUser('ann@home.lan')).rejects.toMatchObject({ code: 'CONTROL_NOT_FOUND' })
    await expect.poll(async () => (await control.sessions()).map(({ email }) => email)).toEqual(['bob@home.lan'])
  })

  it('keep the limits that are not mentioned', async () => {
    await control.changeUser('ann@home.lan', { limits: { quota: 1000, connections: 2 } })
    await control.changeUser('ann@home.lan', { level: 3, limits: { uplink: 5 } })
    const { limits, inbounds } = (await control.user('ann@home.lan'))!
    expect(limits).toMatchObject({ quota: 1000, connections: 2, uplink: 5, enabled: true })
    expect(inbounds[0]?.level).toBe(3)
  })

  it('cannot get away from the limits of their e-mail by one that they had before', async () => {
    const stream = await open(ann)
    const inbound = instance.inbound('in')!
    instance.users.change(inbound, { ...inbound.users!.find('ann@home.lan')!, email: 'anna@home.lan' })
    expect((await control.user('anna@home.lan'))?.connections).toBe(1)
    stream.write('still here')
    expect(String((await once(stream, 'data'))[0])).toBe('still here')
    expect((await control.user('anna@home.lan'))?.used).toEqual({ uplink: 10, downlink: 10 })
    await control.changeUser('anna@home.lan', { limits: { enabled: false } })
    await expect.poll(() => gone(stream)).toBe(true)
  })

  it('start from zero after a reset', async () => {
    await open(ann)
    expect((await control.resetUsage('ann@home.lan')).used).toEqual({ uplink: 0, downlink: 0 })
  })
})

describe('sessions', () => {
  it('are shown and ended, one or all of a user', async () => {
    const streams = [await open(ann), await open(ann), await open(ann)]
    const [first] = await control.sessions()
    expect(first).toMatchObject({
      inbound: 'in',
      outbound: 'direct',
      email: 'Ann@home.lan',
      target: `127.0.0.1:${echo.port}`,
      totals: { uplink: 5, downlink: 5 },
    })
    await control.endSession(first!.id)
    await expect.poll(() => streams.filter(gone).length).toBe(1)
    await expect(control.endSession(first!.id)).rejects.toMatchObject({ code: 'CONTROL_NOT_FOUND' })
    expect(await control.endSessions('ann@home.lan')).toBe(2)
    await expect.poll(() => control.sessions()).toEqual([])
  })

  it('are told to whoever watches, with the reason of their end', async () => {
    const events: ControlEvent[] = []
    const stop = await control.watch((event) => events.push(event))
    await open(ann)
    await control.endSessions('ann@home.lan')
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['opened', 'routed', 'closed'])
    expect(events[2]).toMatchObject({ reason: 'SESSION_ENDED', totals: { uplink: 5, downlink: 5 } })
    stop()
    await open(ann)
    expect(events).toHaveLength(3)
  })

  it('are counted under the names of the user, the inbound and the outbound', async () => {
    await open(ann)
    const counted = Object.fromEntries((await control.counters()).map(({ name, value }) => [name, value]))
    expect(counted).toEqual({
      'user>>>Ann@home.lan>>>traffic>>>uplink': 5,
      'user>>>Ann@home.lan>>>traffic>>>downlink': 5,
      'inbound>>>in>>>traffic>>>uplink': 5,
      'inbound>>>in>>>traffic>>>downlink': 5,
      'outbound>>>direct>>>traffic>>>uplink': 5,
      'outbound>>>direct>>>traffic>>>downlink': 5,
    })
    expect(await control.handshakes()).toEqual([{ inboundTag: 'in', outcome: 'accepted', reason: '', count: 1 }])
  })
})

describe('inbounds and outbounds', () => {
  const more = {
    tag: 'more',
    listen: '127.0.0.1',
    port: 0,
    protocol: 'vmess',
    settings: { clients: [{ id: bob, email: 'bob@home.lan' }] },
  }

  it('are added, serve, and are removed with their sessions', async () => {
    await control.addInbound(more)
    const stream = await open(bob, 'more')
    expect((await control.inbounds()).map(({ tag, users }) => [tag, users])).toEqual([
      ['in', 1],
      ['local', 0],
      ['more', 1],
    ])
    await control.removeInbound('more')
    await expect.poll(() => gone(stream)).toBe(true)
    expect(await control.inbounds()).toHaveLength(2)
    expect(await control.user('bob@home.lan')).toBeUndefined()
  })

  it('are warned of for what they say themselves, not for what is not there beside them', async () => {
    await control.addInbound(more)
    await control.addOutbound({ tag: 'other', protocol: 'freedom' })
    expect(warned).toEqual([])
    await control.addInbound({ ...more, tag: 'third', unheardOf: 1, settings: { clients: [{ id: carol }] } })
    expect(warned).toEqual([expect.stringContaining('inbounds[0].unheardOf')])
  })

  it('are removed with those who are still in their handshake', async () => {
    await control.addInbound(more)
    const { port } = instance.listening.find((at) => at.tag === 'more')!.address
    const client = dialTcp(port, '127.0.0.1').on('error', () => {})
    client.write('half a request')
    await expect.poll(() => instance.connections).toBe(1)
    await control.removeInbound('more')
    await new Promise((resolve) => setImmediate(resolve))
    expect(instance.connections).toBe(0)
    client.destroy()
  })

  it.each([
    ['removed', () => control.removeInbound('more')],
    ['stopped with everything else', () => instance.stop(0)],
  ])('listen nowhere when they are %s while they open', async (_how, end) => {
    const port = await freePort()
    const adding = control.addInbound({ ...more, port }).catch((error: ProxyError) => error.code)
    while (!instance.inbound('more')) await Promise.resolve()
    const ended = end()
    expect(await adding).toBe('LISTEN_FAILED')
    const again = createServer().listen(port, '127.0.0.1')
    await once(again, 'listening')
    again.close()
    await ended
  })

  it('are refused with a reason', async () => {
    await expect(control.addInbound({ ...more, tag: 'in' })).rejects.toMatchObject({ code: 'CONTROL_CONFLICT' })
    await expect(control.addInbound({ ...more, tag: '' })).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
    await expect(control.addInbound({ ...more, port: 'x' })).rejects.toThrow(/inbounds\[0\]\.port.*expected a port/)
    const { port } = instance.listening[0]!.address
    await expect(control.addInbound({ ...more, port })).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(await control.inbounds()).toHaveLength(2)
    await expect(control.removeInbound('more')).rejects.toMatchObject({ code: 'CONTROL_NOT_FOUND' })
  })

  it('change where flows go, but not those in progress', async () => {
    const stream = await open(ann)
    await control.addOutbound({ tag: 'sink', protocol: 'blackhole' })
    await expect(control.addOutbound({ tag: 'sink', protocol: 'freedom' })).rejects.toThrow(/already/)
    await control.removeOutbound('direct')
    expect(await control.outbounds()).toEqual([{ tag: 'sink', protocol: 'blackhole' }])
    stream.write('on')
    expect(String((await once(stream, 'data'))[0])).toBe('on')
    await expect(open(ann)).rejects.toThrow()
  })
})

it('counts how long it runs by the time that has passed, whatever is done to the wall clock', async () => {
  const clock = fakeClock(1_700_000_000_000)
  const env = { ...systemEnv(silentLogger), clock }
  const deps = { instance, env, version: '1', reload: async () => ({ problems: [] }), restartLog: () => {} }
  const timed = new InstanceControl(deps)
  clock.advance(5000)
  clock.set(0)
  expect(await timed.status()).toMatchObject({ startedAt: 1_700_000_000_000, uptimeS: 5 })
})

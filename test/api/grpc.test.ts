import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGrpcApi } from '../../src/api/grpc/server.ts'
import { systemClock } from '../../src/app/instance/env.ts'
import { builtin } from '../../src/builtin/kinds.ts'
import { silentLogger } from '../../src/core/env.ts'
import { limits } from '../../src/core/limits.ts'
import { freePorts } from '../interop/rig/harness.ts'
import {
  type Api,
  aliceId,
  type Caller,
  callerOf,
  type Echo,
  startApi,
  startEcho,
  userOf,
  vmessStream,
} from './grpc-tools.ts'

let echo: Echo
beforeAll(async () => {
  echo = await startEcho()
})
afterAll(() => echo.close())

const patience = { timeout: 15_000 }

/** Both families, each by its own way in. */
const ways = [
  { family: 'v2ray', way: 'a door and a rule', portOf: ({ doorPort }: Api) => doorPort },
  { family: 'xray', way: 'its own port', portOf: ({ listenPort }: Api) => listenPort },
] as const

describe.each(ways)('the gRPC API under the names of $family, through $way', ({ family, portOf }) => {
  let api: Api
  let caller: Caller
  beforeEach(async () => {
    api = await startApi()
    caller = callerOf(`127.0.0.1:${portOf(api)}`, family)
  })
  afterEach(async () => {
    caller.close()
    await api.close()
  })

  const alter = (tag: string, operation: object) => caller.call('HandlerService.AlterInbound', { tag, operation })
  const add = (id: string, email: string, more?: object) =>
    alter('vmess-in', caller.typed('app.proxyman.command.AddUserOperation', { user: userOf(caller, id, email, more) }))
  const remove = (email: string, tag = 'vmess-in') =>
    alter(tag, caller.typed('app.proxyman.command.RemoveUserOperation', { email }))
  const value = async (name: string, reset = false) => {
    const { stat } = await caller.call<{ stat: { value?: number } }>('StatsService.GetStats', { name, reset })
    return stat.value ?? 0
  }

  it('adds a user, counts its bytes exactly, and ends its session when it is removed', async () => {
    const id = randomUUID()
    await add(id, 'bob@home.lan')
    const { stream, received, ended } = await vmessStream(api.vmessPort, id, echo.port)
    stream.write(Buffer.alloc(100_003, 7))
    await expect.poll(received, patience).toBe(100_003)

    const names = ['user>>>bob@home.lan', 'inbound>>>vmess-in', 'outbound>>>direct']
    for (const name of names) {
      expect(await value(`${name}>>>traffic>>>uplink`), name).toBe(100_003)
      expect(await value(`${name}>>>traffic>>>downlink`), name).toBe(100_003)
    }

    await remove('bob@home.lan')
    await expect.poll(ended, { timeout: 1000 }).toBeTruthy()
    expect(await api.control.user('bob@home.lan')).toBeUndefined()
    const refusals: string[] = []
    await api.control.watch((event) => {
      if (event.type === 'refused') refusals.push(event.reason)
    })
    const late = await vmessStream(api.vmessPort, id, echo.port)
    late.stream.write('hello')
    await expect.poll(() => refusals, patience).toEqual(['VMESS_UNKNOWN_USER'])
    late.stream.destroy()
  })

  it('tells in the log what was changed, and no id', async () => {
    const before = api.warned.length
    const id = randomUUID()
    await add(id, 'bob@home.lan')
    await expect(add(id, 'bob@home.lan')).rejects.toThrow()
    await remove('bob@home.lan')
    expect(api.warned.slice(before)).toEqual([
      'gRPC API: user "bob@home.lan" added to the inbound "vmess-in"',
      'gRPC API: user "bob@home.lan" removed from the inbound "vmess-in"; sessions ended: 0',
    ])
  })

  it('reads a counter and sets it to zero in one step', async () => {
    const { stream, received } = await vmessStream(api.vmessPort, aliceId, echo.port)
    stream.write('12345')
    await expect.poll(received, patience).toBe(5)
    const name = 'user>>>alice@home.lan>>>traffic>>>uplink'
    expect(await value(name, true)).toBe(5)
    expect(await value(name)).toBe(0)
    stream.write('678')
    await expect.poll(received, patience).toBe(8)
    expect(await value(name)).toBe(3)
    stream.destroy()
  })

  it('finds counters by a part of their names, by several, by an expression, or all', async () => {
    for (const name of ['user>>>a@x>>>traffic>>>uplink', 'user>>>b@x>>>traffic>>>downlink'])
      api.instance.counters.of(name).value = 9
    const query = async (request: object) => {
      const { stat = [] } = await caller.call<{ stat?: { name: string; value?: number }[] }>(
        'StatsService.QueryStats',
        request,
      )
      return stat.map(({ name, value = 0 }) => `${name} ${value}`).filter((text) => text.startsWith('user'))
    }
    const [a, b] = ['user>>>a@x>>>traffic>>>uplink 9', 'user>>>b@x>>>traffic>>>downlink 9'] as const
    expect(await query({})).toEqual([a, b])
    expect(await query({ pattern: 'a@x' })).toEqual([a])
    expect(await query({ pattern: '[ab]@x' })).toEqual([])
    expect(await query({ patterns: ['a@x', 'downlink'] })).toEqual([a, b])
    expect(await query({ patterns: ['^user>>>[b-z]@'], regexp: true })).toEqual([b])
    expect(await query({ pattern: 'a@x', reset: true })).toEqual([a])
    expect(await query({ pattern: 'a@x' })).toEqual([a.replace('9', '0')])
    await expect(query({ patterns: ['['], regexp: true })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })

  it('refuses users whose e-mail nothing could name', async () => {
    for (const email of ['a\nb', '..', 'x'.repeat(257)]) {
      await expect(add(randomUUID(), email), email).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
    }
  })

  it('cuts regular expressions short that would go on for years', async () => {
    api.instance.counters.of(`user>>>${'a'.repeat(60)}!>>>traffic>>>uplink`).value = 1
    const endless = caller.call('StatsService.QueryStats', { patterns: ['(a+)+$'], regexp: true })
    await expect(endless).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/too long/),
    })
  })

  it('tells what the process uses', async () => {
    const stats = await caller.call<Record<string, number>>('StatsService.GetSysStats')
    expect(stats.Alloc).toBeGreaterThan(1_000_000)
    expect(stats.Sys).toBeGreaterThan(stats.Alloc!)
    expect(stats.NumGoroutine).toBeGreaterThan(0)
  })

  it('opens log files anew', async () => {
    await caller.call('LoggerService.RestartLogger')
    expect(api.restarts()).toBe(1)
  })

  it('adds an inbound that serves, and removes it with its sessions', async () => {
    const [port] = (await freePorts(1)) as [number]
    const id = randomUUID()
    const range = { From: port, To: port }
    const inbound = {
      tag: 'more',
      receiver_settings: caller.typed('app.proxyman.ReceiverConfig', {
        ...(family === 'xray' ? { port_list: { range: [range] } } : { port_range: range }),
        listen: { ip: Buffer.from([127, 0, 0, 1]) },
      }),
      proxy_settings: caller.typed('proxy.vmess.inbound.Config', { user: [userOf(caller, id, 'carol@home.lan')] }),
    }
    await caller.call('HandlerService.AddInbound', { inbound })
    const { stream, received, ended } = await vmessStream(port, id, echo.port)
    stream.write('hello')
    await expect.poll(received, patience).toBe(5)
    await expect(caller.call('HandlerService.AddInbound', { inbound })).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
      details: expect.stringContaining('already exists'),
    })

    await caller.call('HandlerService.RemoveInbound', { tag: 'more' })
    await expect.poll(ended, patience).toBeTruthy()
    await expect(vmessStream(port, id, echo.port)).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    await expect(caller.call('HandlerService.RemoveInbound', { tag: 'more' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: 'handler not found: more',
    })
  })

  it('says why an address cannot be listened on, and keeps nothing of that inbound', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const range = { From: port, To: port }
    const inbound = {
      tag: 'taken',
      receiver_settings: caller.typed('app.proxyman.ReceiverConfig', {
        ...(family === 'xray' ? { port_list: { range: [range] } } : { port_range: range }),
        listen: { ip: Buffer.from([127, 0, 0, 1]) },
      }),
      proxy_settings: caller.typed('proxy.http.ServerConfig', {}),
    }
    await expect(caller.call('HandlerService.AddInbound', { inbound })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining(String(port)),
    })
    other.close()
    expect((await api.control.inbounds()).map(({ tag }) => tag)).not.toContain('taken')
  })

  it('adds and removes outbounds', async () => {
    const outbound = { tag: 'block', proxy_settings: caller.typed('proxy.blackhole.Config', {}) }
    await caller.call('HandlerService.AddOutbound', { outbound })
    expect(await api.control.outbounds()).toContainEqual({ tag: 'block', protocol: 'blackhole' })
    await expect(caller.call('HandlerService.AddOutbound', { outbound })).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
    })
    await caller.call('HandlerService.RemoveOutbound', { tag: 'block' })
    expect((await api.control.outbounds()).map(({ tag }) => tag)).not.toContain('block')
    await expect(caller.call('HandlerService.RemoveOutbound', { tag: 'block' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    })
    await expect(caller.call('HandlerService.RemoveOutbound', { tag: 'api' }), 'its own').rejects.toMatchObject({
      code: status.NOT_FOUND,
    })
  })

  it('answers mistakes with their code and the words that panels look for', async () => {
    const rejects = (call: Promise<unknown>, code: number, details: string | RegExp) =>
      expect(call).rejects.toMatchObject({ code, details: expect.stringMatching(details) })
    await rejects(add(randomUUID(), 'alice@home.lan'), status.ALREADY_EXISTS, /^User alice@home.lan already exists\.$/)
    await rejects(add(aliceId, 'eve@home.lan'), status.ALREADY_EXISTS, /id already/)
    await rejects(add('not an id that anybody could use, for it is long', 'x@y'), status.INVALID_ARGUMENT, /UUID/)
    await rejects(add('', 'x@y'), status.INVALID_ARGUMENT, /has no id/)
    await rejects(remove('bob@home.lan'), status.NOT_FOUND, /^User bob@home.lan not found\.$/)
    await rejects(remove(''), status.INVALID_ARGUMENT, /Email must not be empty/)
    await rejects(remove('alice@home.lan', 'nowhere'), status.NOT_FOUND, /^handler not found: nowhere$/)
    await rejects(remove('alice@home.lan', 'api-in'), status.INVALID_ARGUMENT, /dokodemo-door/)
    await rejects(value('user>>>x>>>traffic>>>uplink'), status.NOT_FOUND, /^user>>>x>>>traffic>>>uplink not found\.$/)
    const unknown = { type: 'xray.proxy.vless.Account', value: Buffer.alloc(0) }
    await rejects(alter('vmess-in', unknown), status.UNIMPLEMENTED, /"xray\.proxy\.vless\.Account"/)
    await rejects(alter('vmess-in', caller.typed('proxy.vmess.Account', {})), status.UNIMPLEMENTED, /vmess\.Account/)
    await rejects(
      add(randomUUID(), 'x@y', { tests_enabled: 'NoTerminationSignal' }),
      status.UNIMPLEMENTED,
      /tests_enabled/,
    )
    expect((await api.control.users()).map(({ email }) => email)).toEqual(['alice@home.lan'])
  })

  it('lists inbounds, users and outbounds', async () => {
    await add(randomUUID(), 'bob@home.lan')
    type Inbound = { tag: string; receiver_settings?: Opened; proxy_settings?: Opened }
    const { inbounds } = await caller.call<{ inbounds: Inbound[] }>('HandlerService.ListInbounds')
    expect(inbounds.map(({ tag, proxy_settings }) => [tag, proxy_settings?.type])).toEqual([
      ['vmess-in', 'xray.proxy.vmess.inbound.Config'],
      ['api-in', 'xray.proxy.dokodemo.Config'],
    ])
    const { inbounds: tags } = await caller.call<{ inbounds: Inbound[] }>('HandlerService.ListInbounds', {
      isOnlyTags: true,
    })
    expect(tags).toEqual([{ tag: 'vmess-in' }, { tag: 'api-in' }])
    const { outbounds } = await caller.call<{ outbounds: Inbound[] }>('HandlerService.ListOutbounds')
    expect(outbounds.map(({ tag }) => tag)).toEqual(['direct'])

    type Users = { users?: { email: string }[] }
    const users = async (email?: string) => {
      const found = await caller.call<Users>('HandlerService.GetInboundUsers', { tag: 'vmess-in', email })
      return found.users?.map((user) => user.email)
    }
    expect(await users()).toEqual(['alice@home.lan', 'bob@home.lan'])
    expect(await users('bob@home.lan')).toEqual(['bob@home.lan'])
    await expect(users('nobody')).rejects.toMatchObject({ code: status.NOT_FOUND })
    expect(await caller.call('HandlerService.GetInboundUsersCount', { tag: 'vmess-in' })).toEqual({ count: 2 })
  })

  it('tells who is online, from where and since when', async () => {
    const name = 'user>>>alice@home.lan>>>online'
    const before = Math.floor(Date.now() / 1000)
    expect(await caller.call('StatsService.GetStatsOnline', { name })).toEqual({ stat: { name, value: 0 } })
    expect(await caller.call('StatsService.GetAllOnlineUsers')).toEqual({})
    const { stream, received } = await vmessStream(api.vmessPort, aliceId, echo.port)
    stream.write('hello')
    await expect.poll(received, patience).toBe(5)

    expect(await caller.call('StatsService.GetStatsOnline', { name })).toEqual({ stat: { name, value: 1 } })
    expect(await caller.call('StatsService.GetAllOnlineUsers')).toEqual({ users: [name] })
    const { ips } = await caller.call<{ ips: Record<string, number> }>('StatsService.GetStatsOnlineIpList', { name })
    expect(Object.keys(ips)).toEqual(['127.0.0.1'])
    expect(ips['127.0.0.1']).toBeGreaterThanOrEqual(before)
    expect(await caller.call('StatsService.GetUsersStats', { include_traffic: true })).toEqual({
      users: [
        {
          email: 'alice@home.lan',
          ips: [{ ip: '127.0.0.1', last_seen: ips['127.0.0.1'] }],
          traffic: { uplink: 5, downlink: 5 },
        },
      ],
    })
    stream.destroy()
    await expect
      .poll(() => caller.call('StatsService.GetStatsOnline', { name }), patience)
      .toEqual({ stat: { name, value: 0 } })
    await expect(caller.call('StatsService.GetStatsOnline', { name: 'user>>>x>>>online' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    })
  })
})

interface Opened {
  readonly type: string
  readonly value: Buffer
}

describe('the gRPC server', () => {
  it('serves only the services that are asked for', async () => {
    const api = await startApi(['StatsService'])
    const caller = callerOf(`127.0.0.1:${api.listenPort}`, 'xray')
    await expect(caller.call('StatsService.GetSysStats')).resolves.toBeTruthy()
    await expect(caller.call('HandlerService.ListInbounds')).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
    caller.close()
    await api.close()
  })

  it('listens on a unix socket, and ends connections when it closes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vmess-grpc-'))
    const path = join(folder, 'api.sock')
    const api = await startApi()
    const grpc = await createGrpcApi({
      control: api.control,
      services: ['StatsService'],
      kinds: builtin,
      clock: systemClock,
      log: silentLogger,
    })
    const listening = await grpc.listen({ host: '', port: 0, path })
    const caller = callerOf(`unix:${path}`, 'v2ray')
    await caller.call('StatsService.GetSysStats')
    const closed = listening.close()
    grpc.close()
    await closed
    await expect(caller.call('StatsService.GetSysStats')).rejects.toMatchObject({ code: status.UNAVAILABLE })
    caller.close()
    await api.close()
    await rm(folder, { recursive: true })
  })

  it('bounds connections, and calls on each of them', async () => {
    const api = await startApi()
    const session = connectHttp2(`http://127.0.0.1:${api.listenPort}`)
    const [settings] = (await once(session, 'remoteSettings')) as [{ maxConcurrentStreams?: number }]
    expect(settings.maxConcurrentStreams).toBe(limits.apiStreams)
    const idle = Array.from({ length: limits.apiConnections - 1 }, () => connectTcp(api.listenPort, '127.0.0.1'))
    await Promise.all(idle.map((socket) => once(socket, 'data')))
    // The one that has called is not silent: it stays, and the oldest of the silent ones goes.
    const path = '/v2ray.core.app.stats.command.StatsService/GetSysStats'
    const call = session.request({ ':path': path, ':method': 'POST', 'content-type': 'application/grpc' })
    call.end(Buffer.alloc(5)).resume()
    await once(call, 'close')
    const oldestGone = once(idle[0]!.resume(), 'close')
    const oneMore = connectTcp(api.listenPort, '127.0.0.1')
    await Promise.all([once(oneMore, 'data'), oldestGone])
    expect(idle.map(({ destroyed }) => destroyed).indexOf(false)).toBe(1)
    expect(session.destroyed).toBe(false)
    oneMore.destroy()
    for (const socket of idle) socket.destroy()
    session.destroy()
    await api.close()
  })

  it('rejects with LISTEN_FAILED where somebody listens already', async () => {
    const api = await startApi()
    const grpc = await createGrpcApi({
      control: api.control,
      services: ['StatsService'],
      kinds: builtin,
      clock: systemClock,
      log: silentLogger,
    })
    const taken = { host: '127.0.0.1', port: api.vmessPort }
    await expect(grpc.listen(taken)).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    await api.close()
  })
})

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, connect as dialTcp, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as dialTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unlessBun } from '../../../test/support/runtime.ts'
import { loadConfigValue } from '../../config/load.ts'
import { type LogFields, type Logger, silentLogger } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { Config, VmessUser } from '../../settings/model.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { connect } from '../connect.ts'
import { systemEnv } from '../instance/env.ts'
import { Instance } from '../instance/instance.ts'
import { parseId } from '../users/ids.ts'
import { reload } from './reload.ts'

const ann = '11111111-1111-4111-8111-111111111111'
const bob = '22222222-2222-4222-8222-222222222222'
const cleo = '33333333-3333-4333-8333-333333333333'
const email = (id: string) => `${id.slice(0, 4)}@example.com`

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url)), 'utf8')

let echo: Server
let echoPort: number
let instance: Instance
let logged: { fields: LogFields; message: string }[]
const open: { destroy(): unknown }[] = []

beforeEach(async () => {
  logged = []
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echoPort = await listening(echo)
})
afterEach(async () => {
  for (const it of open.splice(0)) it.destroy()
  await instance?.stop(0)
  await new Promise((resolve) => echo.close(resolve))
})

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The first of so many free ports side by side. */
async function freeRange(length: number): Promise<number> {
  for (;;) {
    const first = await freePort()
    const servers = Array.from({ length }, () => createServer())
    const opened = await Promise.allSettled(
      servers.map((server, i) => once(server.listen(first + i, '127.0.0.1'), 'listening')),
    )
    for (const server of servers) server.close()
    if (opened.every(({ status }) => status === 'fulfilled')) return first
  }
}

function load(json: object): Config {
  const { config, problems } = loadConfigValue(json)
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}

const isLoaded = (json: object | Config): json is Config =>
  'policy' in json && 'levels' in (json.policy as object) && (json as Config).policy.levels instanceof Map

const log: Logger = { ...silentLogger, error: (fields, message) => void logged.push({ fields, message }) }
const env = systemEnv(log)

async function start(json: object | Config, readText?: (path: string) => string): Promise<Config> {
  const config = isLoaded(json) ? json : load(json)
  instance = new Instance(config, { env, ...(readText && { readText }) })
  await instance.start()
  return config
}

const again = (json: object | Config) => reload(instance, isLoaded(json) ? json : load(json), env)

const vmessIn = (ids: readonly string[], more: object = {}) => ({
  tag: 'in',
  listen: '127.0.0.1',
  port: 0,
  protocol: 'vmess',
  settings: { clients: ids.map((id) => ({ id, email: email(id) })) },
  ...more,
})

const root = (inbounds: readonly object[], more: object = {}) => ({
  inbounds,
  outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  ...more,
})

const portOf = (tag: string): number => instance.inbound(tag)!.addresses[0]!.port

/** A connection through the instance, proven to carry bytes. */
async function tunnel(id: string, port: number): Promise<Duplex & { lost?: boolean }> {
  const vnext = [{ address: '127.0.0.1', port, users: [{ id }] }]
  const stream: Duplex & { lost?: boolean } = await connect(
    { protocol: 'vmess', settings: { vnext } },
    { host: '127.0.0.1', port: echoPort },
  )
  open.push(stream)
  stream.on('error', () => {})
  for (const event of ['end', 'close']) {
    stream.on(event, () => {
      stream.lost = true
    })
  }
  await carries(stream)
  return stream
}

let count = 0

/** Sends bytes and waits for their echo; rejects when the connection ends first. */
function carries(stream: Duplex): Promise<void> {
  const text = `message ${++count};`
  return new Promise((resolve, reject) => {
    let heard = ''
    const done = (error?: Error) => {
      stream.off('data', onData).off('end', onClose).off('close', onClose)
      if (error) reject(error)
      else resolve()
    }
    const onData = (data: Buffer) => {
      heard += data
      if (heard === text) done()
    }
    const onClose = () => done(new Error('the connection ended'))
    if (stream.destroyed) return onClose()
    stream.on('data', onData).on('end', onClose).on('close', onClose)
    stream.write(text)
  })
}

const lost = (stream: { lost?: boolean }) => expect.poll(() => stream.lost, { timeout: 10_000 }).toBe(true)
const isRefused = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = dialTcp({ port, host })
    socket.on('error', () => resolve(true))
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })

describe('users', () => {
  it('who is gone is cut at once; others live on, new ones are let in, and no listener is touched', async () => {
    await start(root([vmessIn([ann, bob])]))
    const port = portOf('in')
    const [listener] = instance.inbound('in')!.ports
    const [one, two] = [await tunnel(ann, port), await tunnel(bob, port)]
    const report = await again(root([vmessIn([ann, cleo])]))
    expect(report).toEqual({
      inbounds: { added: [], changed: [], removed: [] },
      outbounds: { added: [], changed: [], removed: [] },
      users: { added: 1, changed: 0, removed: 1 },
      restart: [],
      routing: false,
      warnings: [],
    })
    await lost(two)
    await carries(one)
    await carries(await tunnel(cleo, port))
    expect(instance.inbound('in')!.ports).toEqual([listener])
    expect([...instance.accounts].map((account) => account.email).sort()).toEqual([email(ann), email(cleo)])
  })

  it('a changed level or e-mail holds for new connections, and ends none', async () => {
    await start(root([vmessIn([ann])]))
    const stream = await tunnel(ann, portOf('in'))
    const clients = [{ id: ann, email: 'new@example.com', level: 3, alterId: 2 }]
    const report = await again(root([vmessIn([], { settings: { clients } })]))
    expect(report.users).toEqual({ added: 0, changed: 1, removed: 0 })
    await carries(stream)
    expect([...instance.inbound('in')!.users!][0]).toMatchObject({ email: 'new@example.com', level: 3, alterId: 2 })
    expect(instance.accounts.get(email(ann))).toBeUndefined()
    expect(instance.accounts.get('new@example.com')).toBeDefined()
  })

  it('an id that changed ends sessions with the old one, and keeps what the user has used', async () => {
    await start(root([vmessIn([ann])]))
    const stream = await tunnel(ann, portOf('in'))
    const { used } = instance.accounts.get(email(ann))!
    expect(used.uplink).toBeGreaterThan(0)
    await again(root([vmessIn([], { settings: { clients: [{ id: cleo, email: email(ann) }] } })]))
    await lost(stream)
    expect(instance.accounts.get(email(ann))!.used).toBe(used)
    await tunnel(cleo, portOf('in'))
  })

  it('what an API did stays, unless the files change the same thing', async () => {
    const config = await start(root([vmessIn([ann, bob])]))
    const inbound = instance.inbound('in')!
    const added: VmessUser = { ...[...inbound.users!][0]!, id: parseId(cleo), email: email(cleo) }
    instance.users.add(inbound, added)
    instance.users.remove(inbound, inbound.users!.get(parseId(bob))!)
    instance.users.change(inbound, { ...inbound.users!.get(parseId(ann))!, level: 7 })
    const stream = await tunnel(cleo, portOf('in'))

    await again(config)
    await again(
      root([
        vmessIn([ann, bob], {
          settings: {
            clients: [
              { id: ann, email: 'a@b' },
              { id: bob, level: 2 },
            ],
          },
        }),
      ]),
    )
    await carries(stream)
    expect([...inbound.users!].map(({ email, level }) => [email, level])).toEqual([
      ['a@b', 7],
      [email(cleo), 0],
    ])

    // Named by the files and then no more, it goes like any other.
    await again(root([vmessIn([ann, cleo])]))
    await carries(stream)
    await again(root([vmessIn([ann])]))
    await lost(stream)
  })

  it('an e-mail that an API gave away goes to the user of the files', async () => {
    await start(root([vmessIn([ann])]))
    const inbound = instance.inbound('in')!
    instance.users.add(inbound, { ...[...inbound.users!][0]!, id: parseId(cleo), email: email(bob) })
    await again(root([vmessIn([ann, bob])]))
    expect(inbound.users!.get(parseId(cleo))).toBeUndefined()
    expect(inbound.users!.find(email(bob))!.id).toEqual(parseId(bob))
  })
})

describe('limits', () => {
  const limited = (limits: Partial<UserLimits> | undefined): Config => {
    const config = load(root([vmessIn([ann, bob])]))
    const [inbound] = config.inbounds
    if (inbound?.protocol !== 'vmess') throw new Error('not vmess')
    const [first, ...rest] = inbound.settings.users
    const users = [limits ? { ...first!, limits: { ...unlimited, ...limits } } : first!, ...rest]
    return { ...config, inbounds: [{ ...inbound, settings: { ...inbound.settings, users } }] }
  }
  const held = () => instance.accounts.get(email(ann))!.limits

  it('of the files hold at once, for connections in progress too', async () => {
    await start(limited({ quota: 1_000_000 }))
    const stream = await tunnel(ann, portOf('in'))
    const report = await again(limited({ quota: 2_000_000 }))
    expect(report.users).toEqual({ added: 0, changed: 1, removed: 0 })
    expect(held().quota).toBe(2_000_000)
    await carries(stream)
    await again(limited({ enabled: false }))
    await lost(stream)
    await again(limited(undefined))
    expect(held()).toEqual(unlimited)
    await tunnel(ann, portOf('in'))
  })

  it('of an API stay until the files say something else about this user', async () => {
    await start(limited({ quota: 1_000_000 }))
    instance.accounts.get(email(ann))!.change({ ...unlimited, connections: 5 })
    await again(limited({ quota: 1_000_000 }))
    expect(held().connections).toBe(5)
    await again(limited({ quota: 3_000_000 }))
    expect(held()).toEqual({ ...unlimited, quota: 3_000_000 })
  })
})

describe('addresses', () => {
  it('new ones are opened, those that are gone are closed, and connections through these live on', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()]
    await start(root([vmessIn([ann], { port: `${a},${b}` })]))
    const before = instance.inbound('in')!.ports
    const stream = await tunnel(ann, a)
    const report = await again(root([vmessIn([ann], { port: `${b},${c}` })]))
    expect(report.inbounds).toEqual({ added: [], changed: ['in'], removed: [] })
    expect(await Promise.all([a, b, c].map((port) => isRefused(port)))).toEqual([true, false, false])
    expect(instance.inbound('in')!.ports).toContain(before[1])
    await carries(stream)
    await tunnel(ann, c)
  })

  it('a port that is taken leaves everything as it was', async () => {
    const [a, b] = [await freePort(), await freePort()]
    await start(root([vmessIn([ann, bob], { port: a })]))
    const stream = await tunnel(bob, a)
    const { config } = instance
    const next = root([vmessIn([ann], { port: `${a},${b},${echoPort}` }), vmessIn([], { tag: 'more' })])
    await expect(again(next)).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(instance.config).toBe(config)
    expect(instance.inbounds.map(({ tag }) => tag)).toEqual(['in'])
    expect(instance.listening.map(({ address }) => address.port)).toEqual([a])
    expect(await isRefused(b)).toBe(true)
    await carries(stream)
    await tunnel(bob, a)
  })

  unlessBun('listening on IPv6 alone')('one address may take the place of another that excludes it', async () => {
    const port = await freePort()
    await start(root([vmessIn([ann], { port })]))
    const stream = await tunnel(ann, port)
    await again(root([vmessIn([ann], { port, listen: '0.0.0.0' })]))
    expect(instance.listening.map(({ address }) => address.host)).not.toContain('127.0.0.1')
    await carries(stream)
    await tunnel(ann, port)
    await again(root([vmessIn([ann], { port })]))
    await tunnel(ann, port)

    await expect(
      again(root([vmessIn([ann], { port, listen: '0.0.0.0' }), vmessIn([], { tag: 'x', port: echoPort })])),
    ).rejects.toThrow()
    await expect.poll(() => isRefused(port)).toBe(false)
    await tunnel(ann, port)
  })
})

describe('inbounds', () => {
  it('a new name keeps the port open, and the connections of users who are still there', async () => {
    const port = await freePort()
    await start(root([vmessIn([ann, bob], { port })]))
    const [one, two] = [await tunnel(ann, port), await tunnel(bob, port)]
    const [listener] = instance.inbound('in')!.ports
    const { used } = instance.accounts.get(email(ann))!
    const report = await again(root([vmessIn([ann], { port, tag: 'other' })]))
    expect(report.inbounds).toEqual({ added: ['other'], changed: [], removed: ['in'] })
    expect(report.users).toEqual({ added: 0, changed: 0, removed: 1 })
    expect(instance.inbound('other')!.ports[0]).toBe(listener)
    await lost(two)
    await carries(one)
    expect(instance.accounts.get(email(ann))!.used).toBe(used)
    await tunnel(ann, port)
    const { users } = instance.inbound('other')!
    expect(instance.users.remove(instance.inbound('other')!, users!.get(parseId(ann))!)).toBe(2)
    await lost(one)
  })

  it('another protocol takes over the port', async () => {
    const port = await freePort()
    await start(root([vmessIn([ann], { port })]))
    const stream = await tunnel(ann, port)
    const [listener] = instance.inbound('in')!.ports
    const report = await again(root([{ tag: 'in', listen: '127.0.0.1', port, protocol: 'http' }]))
    expect(report.inbounds.changed).toEqual(['in'])
    expect(instance.inbound('in')!.ports[0]).toBe(listener)
    await lost(stream)
    const socket = dialTcp({ port, host: '127.0.0.1' })
    open.push(socket)
    socket.end('GET / HTTP/1.1\r\n\r\n')
    expect(String((await socket.toArray()).join(''))).toContain('HTTP/1.1 400')
  })

  it('one that is gone listens no more; nobody else is cut', async () => {
    const socks = { tag: 'socks', listen: '127.0.0.1', port: 0, protocol: 'socks' }
    await start(root([vmessIn([ann]), vmessIn([ann, bob], { tag: 'two' }), socks]))
    const [two, socksPort] = [portOf('two'), portOf('socks')]
    const [one, other] = [await tunnel(ann, two), await tunnel(bob, two)]
    const waiting = dialTcp({ port: socksPort, host: '127.0.0.1' })
    open.push(waiting)
    waiting.write(Uint8Array.of(5, 1, 0))
    await new Promise((resolve) => waiting.once('data', resolve))
    await again(root([vmessIn([ann])]))
    expect(await Promise.all([isRefused(two), isRefused(socksPort)])).toEqual([true, true])
    await lost(other)
    await carries(one)
    const [a, b, c, d] = [127, 0, 0, 1]
    waiting.write(Uint8Array.of(5, 1, 0, 1, a!, b!, c!, d!, echoPort >> 8, echoPort & 255))
    const reply: Buffer = await new Promise((resolve) => waiting.once('data', resolve))
    expect(reply[1]).toBe(0)
  })

  it('one of an API stays, one that an API removed stays removed, and the files may take one over', async () => {
    const config = await start(root([vmessIn([ann]), vmessIn([ann], { tag: 'gone' })]))
    await instance.addInbound(load(root([vmessIn([bob], { tag: 'api' })])).inbounds[0]!)
    instance.removeInbound(instance.inbound('gone')!)
    const stream = await tunnel(bob, portOf('api'))
    await again(config)
    expect(instance.inbounds.map(({ tag }) => tag)).toEqual(['in', 'api'])
    await again(root([vmessIn([ann], { tag: 'api' }), vmessIn([ann]), vmessIn([ann], { tag: 'gone' })]))
    expect(instance.inbounds.map(({ tag }) => tag)).toEqual(['api', 'in'])
    await carries(stream)
    await tunnel(ann, portOf('api'))
    await again(root([vmessIn([ann]), vmessIn([ann], { tag: 'gone' })]))
    await lost(stream)
  })

  it('without tags they are told apart by where they listen', async () => {
    const [a, b] = [await freePort(), await freePort()]
    const at = (port: number, ids: string[]) => vmessIn(ids, { tag: '', port })
    await start(root([at(a, [ann]), at(b, [bob])]))
    const [first, second] = instance.inbounds
    const [one, two] = [await tunnel(ann, a), await tunnel(bob, b)]
    const report = await again(root([at(b, [bob]), at(a, [ann])]))
    expect(report).toMatchObject({ inbounds: { added: [], changed: [], removed: [] } })
    expect(instance.inbounds).toEqual([second, first])
    await Promise.all([carries(one), carries(two)])
  })

  it('policy holds for new connections, and parts that need a restart are named', async () => {
    await start(root([vmessIn([ann])]))
    const levels = { 0: { connIdle: 7 } }
    const report = await again(root([vmessIn([ann])], { policy: { levels }, log: { loglevel: 'debug' } }))
    expect(instance.config.policy.levels.get(0)).toMatchObject({ connIdle: 7 })
    expect(report.restart).toEqual(['log'])
    expect(instance.config.log.level).toBe('warning')
    expect((await again(root([vmessIn([ann])]))).restart).toEqual([])
  })
})

describe('ports that move', () => {
  const moving = (allocate: object | undefined, range: string) =>
    root([vmessIn([ann], { port: range, ...(allocate && { allocate: { strategy: 'random', ...allocate } }) })])

  it('move as the new settings say; those that clients know stay open for their time', async () => {
    const first = await freeRange(4)
    const range = `${first}-${first + 3}`
    await start(moving({ concurrency: 1, refresh: 5 }, range))
    const [known] = instance.inbound('in')!.ports
    const stream = await tunnel(ann, known!.address.port)
    await again(moving({ concurrency: 1, refresh: 5 }, range))
    expect(instance.inbound('in')!.ports).toEqual([known])
    await again(moving({ concurrency: 2, refresh: 5 }, range))
    expect(instance.inbound('in')!.ports).toHaveLength(3)
    expect(instance.inbound('in')!.ports).toContain(known)
    await tunnel(ann, known!.address.port)

    await again(moving(undefined, range))
    expect(instance.listening.map(({ address }) => address.port).sort()).toEqual([0, 1, 2, 3].map((n) => first + n))
    expect(instance.inbound('in')!.ports).toContain(known)
    await again(moving({ concurrency: 1, refresh: 5 }, range))
    expect(instance.inbound('in')!.ports).toHaveLength(1)
    await carries(stream)
  })

  it('do not slip away from a reload that makes fixed ones of them', async () => {
    const first = await freeRange(4)
    const range = `${first}-${first + 2}`
    const fixed = first + 3
    const clock = fakeClock(Date.now())
    instance = new Instance(load(moving({ concurrency: 1, refresh: 5 }, range)), { env: { ...env, clock } })
    await instance.start()
    const reloading = again(moving(undefined, `${fixed}`)).catch((error: ProxyError) => error.code)
    for (let i = 0; i < 3; i++) await Promise.resolve() // its ports are being opened
    clock.advance(5 * 60_000)
    const outcome = await reloading
    await expect.poll(() => instance.listening.length).toBe(outcome === 'CONTROL_CONFLICT' ? 2 : 1)
    await again(moving(undefined, `${fixed}`))
    expect(instance.listening.map(({ address }) => address.port)).toEqual([fixed])
  })
})

describe('TLS', () => {
  const files = new Map<string, string>()
  const readText = (path: string): string => {
    const text = files.get(path)
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }
  const use = (name: string) => files.set('/cert', fixture(`${name}.crt`)).set('/key', fixture(`${name}.key`))
  const tlsSettings = { certificates: [{ certificateFile: '/cert', keyFile: '/key' }] }
  const secured = (port: number, ids = [ann]) =>
    root([vmessIn(ids, { port, streamSettings: { security: 'tls', tlsSettings } })])

  async function secureTunnel(id: string, port: number): Promise<Duplex & { lost?: boolean }> {
    const users = [{ id }]
    const stream: Duplex & { lost?: boolean } = await connect(
      {
        protocol: 'vmess',
        settings: { vnext: [{ address: '127.0.0.1', port, users }] },
        streamSettings: { security: 'tls', tlsSettings: { allowInsecure: true } },
      } as { protocol: 'vmess'; settings: object },
      { host: '127.0.0.1', port: echoPort },
    )
    open.push(stream)
    stream.on('error', () => {})
    await carries(stream)
    return stream
  }

  const certificateAt = (port: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = dialTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
      socket.on('error', reject)
    })

  it('a renewed certificate is used for new connections; none is refused meanwhile, and none ends', async () => {
    use('localhost')
    const port = await freePort()
    const config = await start(secured(port), readText)
    const stream = await secureTunnel(ann, port)
    const [listener] = instance.inbound('in')!.ports
    const old = await certificateAt(port)
    // This one has begun, and is in the middle of its handshake when the certificate changes.
    const raw = dialTcp({ port, host: '127.0.0.1' })
    open.push(raw)
    await new Promise((resolve) => raw.once('connect', resolve))

    use('tls/server')
    const report = await again(config)
    expect(report.inbounds.changed).toEqual(['in'])
    expect(instance.inbound('in')!.ports[0]).toBe(listener)
    expect(await certificateAt(port)).not.toBe(old)
    await carries(stream)
    await secureTunnel(ann, port)
    const late = dialTls({ socket: raw, rejectUnauthorized: false })
    await new Promise((resolve, reject) => late.once('secureConnect', resolve).once('error', reject))

    expect((await again(config)).inbounds.changed).toEqual([])
  })

  it('a certificate that cannot be used changes nothing', async () => {
    use('localhost')
    const port = await freePort()
    await start(secured(port), readText)
    const old = await certificateAt(port)
    files.set('/key', 'nonsense')
    await expect(again(secured(port, [bob]))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ code: 'CFG109', path: 'inbounds[0].streamSettings.tlsSettings.certificates[0].keyFile' }],
    })
    expect(await certificateAt(port)).toBe(old)
    await secureTunnel(ann, port)
  })

  it('can be switched on and off under an open port', async () => {
    use('localhost')
    const port = await freePort()
    await start(root([vmessIn([ann], { port })]), readText)
    const plain = await tunnel(ann, port)
    const [listener] = instance.inbound('in')!.ports
    await again(secured(port))
    const secure = await secureTunnel(ann, port)
    await again(root([vmessIn([ann], { port })]))
    await Promise.all([carries(plain), carries(secure), tunnel(ann, port)])
    expect(instance.inbound('in')!.ports[0]).toBe(listener)
  })

  unlessBun('a probe leaves a line in the log')('options of the socket open it again', async () => {
    const port = await freePort()
    await start(root([vmessIn([ann], { port })]))
    const stream = await tunnel(ann, port)
    await again(root([vmessIn([ann], { port, streamSettings: { sockopt: { tcpKeepAliveIdle: 9 } } })]))
    await expect.poll(() => isRefused(port)).toBe(false)
    await carries(stream)
    await tunnel(ann, port)
    expect(logged).toEqual([])
  })
})

describe('outbounds', () => {
  const out = (tag: string, more: object = {}) => ({ tag, protocol: 'freedom', ...more })

  it('those that say the same keep running, changed ones are built anew, in the order of the files', async () => {
    await start({ ...root([vmessIn([ann])]), outbounds: [out('a'), out('b'), out('c')] })
    const before = new Map([...instance.outbounds].map(({ outbound }) => [outbound.tag, outbound]))
    const api = load({ outbounds: [out('api')] }).outbounds[0]!
    instance.outbounds.add(instance.buildOutbound(api))
    const stream = await tunnel(ann, portOf('in'))
    const settings = { domainStrategy: 'UseIPv4' }
    const report = await again({ ...root([vmessIn([ann])]), outbounds: [out('new'), out('b', { settings }), out('a')] })
    expect(report.outbounds).toEqual({ added: ['new'], changed: ['b'], removed: ['c'] })
    const after = [...instance.outbounds].map(({ outbound }) => outbound)
    expect(after.map(({ tag }) => tag)).toEqual(['new', 'b', 'a', 'api'])
    expect(after[2]).toBe(before.get('a'))
    expect(after[1]).not.toBe(before.get('b'))
    await carries(stream)
    expect(instance.outbounds.first!.tag).toBe('new')
    expect((await again(instance.config)).outbounds).toEqual({ added: [], changed: [], removed: [] })
    expect([...instance.outbounds].map(({ outbound }) => outbound)).toEqual(after)
  })

  it('one that an API removed stays removed', async () => {
    const config = await start({ ...root([]), outbounds: [out('a'), out('b')] })
    instance.outbounds.remove('b')
    await again(config)
    expect([...instance.outbounds].map(({ outbound }) => outbound.tag)).toEqual(['a'])
  })
})

describe('again and again', () => {
  it('changes nothing when nothing has changed, and leaves nothing behind', async () => {
    const port = await freePort()
    await start(root([vmessIn([ann], { port }), vmessIn([bob], { tag: 'two' })]))
    const stream = await tunnel(ann, port)
    const handles = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length
    const before = { ports: instance.inbounds.flatMap(({ ports }) => ports), handles: handles() }
    for (let i = 0; i < 50; i++) await again(root([vmessIn([ann], { port }), vmessIn([bob], { tag: 'two' })]))
    expect(instance.inbounds.flatMap(({ ports }) => ports)).toEqual(before.ports)
    for (const [i, listener] of instance.inbounds.flatMap(({ ports }) => ports).entries()) {
      expect(listener).toBe(before.ports[i])
    }
    expect(handles()).toBe(before.handles)
    expect(instance.accounts.size).toBe(2)
    await carries(stream)
  })

  unlessBun('a collection on demand')('lets go of every configuration but the last', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await start(root([vmessIn([ann])]))
    const alive: WeakRef<object>[] = []
    for (let i = 0; i < 50; i++) {
      const config = load(root([vmessIn([ann], i % 2 ? {} : { tag: 'other' })], { log: {} }))
      alive.push(new WeakRef(config.inbounds[0]!), new WeakRef(config.outbounds[0]!))
      await again(config)
      alive.push(new WeakRef(instance.inbounds[0]!))
    }
    const left = () => {
      collect()
      return alive.filter((ref) => ref.deref()).length
    }
    await expect.poll(left, { timeout: 10_000 }).toBeLessThan(12)
  })

  it('one waits for the other, and the last one holds', async () => {
    await start(root([vmessIn([ann])]))
    const ports = [await freePort(), await freePort(), await freePort()]
    await Promise.all(ports.map((port) => again(root([vmessIn([ann], { port })]))))
    expect(instance.listening.map(({ address }) => address.port)).toEqual([ports[2]])
    expect(await Promise.all(ports.map((port) => isRefused(port)))).toEqual([true, true, false])
  })

  it('is refused without any outbound, where there was one: everybody would be cut off', async () => {
    const config = await start(root([vmessIn([ann])]))
    const stream = await tunnel(ann, portOf('in'))
    await expect(again({ inbounds: [vmessIn([ann])] })).rejects.toMatchObject({
      code: 'CONTROL_INVALID',
      message: 'the configuration has no outbound: every connection would be closed',
    })
    expect(instance.config).toBe(config)
    await carries(stream)
    await carries(await tunnel(ann, portOf('in')))
  })

  it('goes from no outbound to none', async () => {
    await start({ inbounds: [vmessIn([ann])] })
    expect((await again({ inbounds: [vmessIn([ann, bob])] })).users.added).toBe(1)
  })

  it('is refused before the start, and while stopping', async () => {
    instance = new Instance(load(root([vmessIn([ann])])), { env })
    await expect(again(root([]))).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
    await instance.start()
    const port = await freePort()
    const late = again(root([vmessIn([ann], { port })]))
    await Promise.resolve()
    await instance.stop(0)
    await expect(late).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
    await expect.poll(() => isRefused(port)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import type { Conn } from '../../core/conn.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground } from '../../core/ground.ts'
import { forever, Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { Descriptors } from './descriptors.ts'

const target = { host: '192.0.2.1', port: 80 }
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A process that had 20 descriptors before the first client, and may have `limit`: with 200 there is room for 168. */
function rig({ limit = 200, perAddress = 0, evictIdle = (): boolean => false } = {}) {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, random: fakeRandom(1), log: silentLogger }
  const descriptors = new Descriptors({ env, perAddress: () => perAddress, evictIdle, limit })
  const open = new Set<Conn>()
  const counted = (conn: Conn): Conn => {
    open.add(conn)
    conn.onGone(() => open.delete(conn))
    return conn
  }
  const ground = descriptors.watch({
    tcp: { dial: async () => counted(memoryPair()[0]) },
    udp: { open: () => Promise.reject(new Error('no UDP here')) },
    resolve: async () => [],
    isOwn: () => false,
  } satisfies Ground)
  const arrive = (remote = '192.0.2.7:1000'): Conn => {
    const conn = counted(memoryPair({ info: [{ remote }, {}] })[0])
    descriptors.accepted(conn, 19 + open.size, () => {})
    return conn
  }
  const known = (): Conn => {
    const conn = arrive()
    descriptors.admit(conn.info)
    return conn
  }
  const dial = (until: Lifetime = forever) => ground.tcp.dial(target, { until })
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  return { clock, descriptors, open, ground, arrive, known, dial, many }
}

const codeOf = (conn: Conn): string | undefined => (conn.gone as ProxyError | undefined)?.code

describe('sessions of datagrams', () => {
  it('give way when there is no stranger left to go, the quietest first, and never for strangers alone', async () => {
    const idle: Conn[] = []
    const { arrive, known, many, dial } = rig({
      evictIdle: () => idle.shift()?.destroy() === undefined && idle.length > 0,
    })
    for (let i = 0; i < 20; i++) idle.push(await dial())
    const sessions = [...idle]
    many(300, arrive)
    expect(sessions.every(({ gone }) => !gone)).toBe(true)
    many(145, known)
    expect(sessions.filter(({ gone }) => gone).length).toBeGreaterThan(0)
    expect(sessions.findIndex(({ gone }) => !gone)).toBe(sessions.filter(({ gone }) => gone).length)
  })
})

describe('strangers', () => {
  it('make room for newer ones, the oldest first, and never whoever has shown who it is', () => {
    const { arrive, known, many, open } = rig()
    const friends = many(30, known)
    const strangers = many(300, arrive)
    expect(friends.some(({ gone }) => gone)).toBe(false)
    expect(strangers.findIndex(({ gone }) => !gone)).toBe(strangers.filter(({ gone }) => gone).length)
    expect(codeOf(strangers[0]!)).toBe('STRANGER_EVICTED')
    expect(strangers.at(-1)!.gone).toBeUndefined()
    expect(open.size).toBe(158) // ten more are kept for dials
  })

  it('make room for a dial', async () => {
    const { arrive, known, dial, many, open } = rig()
    const strangers = many(300, arrive)
    known()
    for (let i = 0; i < 15; i++) await dial()
    expect(open.size).toBe(168)
    expect(strangers.findIndex(({ gone }) => !gone)).toBe(strangers.filter(({ gone }) => gone).length)
  })

  it('count by address, an IPv6 network of 64 bits being one, and the oldest of that address goes', () => {
    const { arrive } = rig({ limit: 10_000, perAddress: 2 })
    const other = arrive('198.51.100.1:1')
    const v4 = [1, 2, 3, 4].map((port) => arrive(`192.0.2.7:${port}`))
    const v6 = ['[2001:db8::1]:1', '[2001:db8::ffff:2]:1', '[2001:db8:0:0:9::3]:1', '[2001:db8:0:1::1]:1'].map(arrive)
    const gone = (conns: Conn[]) => conns.map((conn) => conn.gone !== undefined)
    expect([gone(v4), gone(v6)]).toEqual([
      [true, true, false, false],
      [true, false, false, false],
    ])
    expect(other.gone).toBeUndefined()
  })

  it('count where they really are as soon as a proxy has said it', () => {
    const { arrive, descriptors } = rig({ perAddress: 2 })
    const behind = (client: string): Conn => {
      const conn = arrive('127.0.0.1:1000')
      descriptors.clientIs(new LayeredInfo(conn.info, 'ws', 'none'), client)
      return conn
    }
    const honest = ['192.0.2.1:0', '192.0.2.2:0', '192.0.2.3:0'].map(behind)
    const many = [behind('192.0.2.9:0'), behind('192.0.2.9:0'), behind('192.0.2.9:0')]
    expect(honest.map(codeOf)).toEqual([undefined, undefined, undefined])
    expect(many.map(codeOf)).toEqual(['STRANGER_EVICTED', undefined, undefined])
    descriptors.admit(many[1]!.info)
    behind('192.0.2.9:0')
    expect(many.map(codeOf)).toEqual(['STRANGER_EVICTED', undefined, undefined])
  })

  it('have no bound by address on unix sockets', () => {
    const { arrive, many } = rig({ limit: 10_000, perAddress: 2 })
    expect(many(9, () => arrive('unix:/run/vmess.sock')).some(({ gone }) => gone)).toBe(false)
  })

  it('are known by what runs on their connection', () => {
    const { descriptors, arrive } = rig()
    const conn = arrive()
    expect(descriptors.strangers).toBe(1)
    descriptors.admit(new LayeredInfo(new LayeredInfo(conn.info, 'tls', 'native'), 'vmess', 'framed'))
    expect(descriptors.strangers).toBe(0)
  })

  it('are forgotten when they leave', () => {
    const { descriptors, arrive, many } = rig({ perAddress: 5 })
    for (const conn of many(5, arrive)) conn.destroy()
    expect(descriptors.strangers).toBe(0)
    expect(many(5, arrive).some(({ gone }) => gone)).toBe(false)
  })
})

describe('where everybody is known', () => {
  it('a newcomer keeps its socket while its dial waits, and only the one too many is closed', async () => {
    const { known, dial, clock, many, open } = rig()
    const first = many(160, known)
    const refused = first.filter(({ gone }) => gone)
    expect(refused.map(codeOf)).toEqual(['FD_EXHAUSTED', 'FD_EXHAUSTED'])
    expect(refused).toEqual(first.slice(158))

    const done: Conn[] = []
    for (let i = 0; i < 158; i++) void dial().then((conn) => done.push(conn))
    clock.advance(limits.fdWaitMs)
    await settle()
    expect([done.length, open.size]).toEqual([10, 168])
    // Whoever is served leaves, and the next ones are.
    for (let served = 0; served < 158; served++) {
      done[served]!.destroy()
      first[served]!.destroy()
      await settle()
    }
    expect([done.length, open.size]).toEqual([158, 0])
    expect(clock.pending).toBe(0)
  })

  it('newcomers of one burst all get in before dials take their room', async () => {
    const { known, dial, clock, many, open } = rig()
    const done: Conn[] = []
    const clients = many(150, () => {
      void dial().then((conn) => done.push(conn))
      return known()
    })
    await settle()
    expect(clients.some(({ gone }) => gone)).toBe(false)
    const dialled = () => open.size - clients.length
    expect(dialled()).toBe(11)
    clock.advance(limits.fdQuietMs)
    await settle()
    expect(dialled()).toBe(11) // the share of dials; the others wait for room
  })

  it('a dial that got no descriptor within its limit says so', async () => {
    const { known, dial, clock, many } = rig()
    many(158, known)
    for (let i = 0; i < 10; i++) void dial()
    const life = new Life()
    const failure = dial(life).catch((error: ProxyError) => error)
    clock.advance(limits.fdWaitMs)
    life.end(new ProxyError('DIAL_TIMEOUT', 'no connection within 16 s'))
    expect(await failure).toMatchObject({ code: 'FD_EXHAUSTED', message: expect.stringContaining('within 16 s') })
  })

  it('a dial that is given up leaves its place', async () => {
    const { known, dial, clock, many, open } = rig()
    many(158, known)
    const dialled = many(10, () => dial())
    clock.advance(limits.fdWaitMs)
    const far = await Promise.all(dialled)
    expect(open.size).toBe(168)
    const life = new Life()
    const leaving = dial(life).catch((error: ProxyError) => error.code)
    const next = dial()
    life.end(new ProxyError('DIAL_ABORTED', 'gone'))
    expect(await leaving).toBe('DIAL_ABORTED')
    clock.advance(limits.fdWaitMs)
    far[0]!.destroy()
    expect((await next).gone).toBeUndefined()
    expect(clock.pending).toBe(0)
  })
})

it('without a limit nobody waits and nobody goes', async () => {
  const { arrive, dial, many, open } = rig({ limit: Number.POSITIVE_INFINITY })
  many(2_000, arrive)
  for (let i = 0; i < 1_000; i++) await dial()
  expect(open.size).toBe(3_000)
})

it('a dial that fails gives its descriptor back', async () => {
  const { ground, dial } = rig()
  for (let i = 0; i < 500; i++) await expect(ground.udp.open({ until: forever })).rejects.toThrow('no UDP here')
  expect((await dial()).gone).toBeUndefined()
})

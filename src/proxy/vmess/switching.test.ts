import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startMs, testServer, testUser } from '../../../test/support/vmess-pair.ts'
import { answers, type FakeNetwork, fakeNetwork, greeting, recordingLog } from '../../../test/support/vmess-servers.ts'
import type { Outbound } from '../../core/dialer.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { ServerRequest } from '../../protocol/vmess/server-request.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createVmessOutbound } from './outbound.ts'
import { type Server, Servers } from './servers.ts'

const target = { host: 'example.com', port: 443 }
const until = forever
const minuteMs = 60_000

const movingId = (n: number) => new Uint8Array(16).fill(n)

const command = (change: Partial<SwitchAccount> = {}): SwitchAccount => ({
  host: '',
  port: 40_001,
  id: movingId(1),
  alterId: 0,
  level: 0,
  validMinutes: 5,
  ...change,
})

function setUp(change: Partial<ReturnType<typeof testUser>> & { security?: 'auto' | 'chacha20-poly1305' } = {}) {
  const network = fakeNetwork()
  const clock = fakeClock(startMs)
  const { log, lines } = recordingLog()
  const user = { ...testUser(), security: 'aes-128-gcm', ...change } as const
  const state: { commands: (SwitchAccount | undefined)[] } = { commands: [] }
  const main = testServer([user], clock)
  const movingUsers = Array.from({ length: 9 }, (_, n) =>
    testUser(n >= 5 ? 4 : 0, { id: movingId(n), email: `${n}@moving` }),
  )
  const moving = testServer(movingUsers, clock)
  const seen: ServerRequest[] = []
  network.places.set('main:443', answers(main, { command: () => state.commands.shift() }))
  const env = { clock, random: fakeRandom(5), log }
  const deps = { dialer: network.dialer, env, auto: 'aes-128-gcm', legacyHeader: false } as const
  const servers = [{ address: { host: 'main', port: 443 }, users: [user] }]
  return {
    clock,
    lines,
    network,
    seen,
    /** Commands of the next answers of the main server. */
    say: (...commands: (SwitchAccount | undefined)[]) => void state.commands.push(...commands),
    works: (...names: string[]) => {
      for (const name of names) network.places.set(name, answers(moving, { seen: (request) => seen.push(request) }))
    },
    outbound: createVmessOutbound('proxy', { servers }, deps),
  }
}

async function request(outbound: Outbound): Promise<string> {
  const conn = await outbound.dial(target, { until })
  await conn.write(new Uint8Array(1))
  try {
    return new TextDecoder().decode((await conn.read()) ?? undefined)
  } finally {
    conn.destroy()
  }
}

async function requests(outbound: Outbound, count: number): Promise<void> {
  for (let i = 0; i < count; i++) expect(await request(outbound)).toBe(greeting)
}

const takeDialed = (network: FakeNetwork) => network.dialed.splice(0).map((name) => name.replace('main:443', 'main'))

/** The list alone, with one configured server. */
function bareServers() {
  const clock = fakeClock(startMs)
  const users = [{ ...testUser(), security: 'auto' as const }]
  const env = { clock, random: fakeRandom(1), log: recordingLog().log }
  const servers = new Servers([{ address: { host: 'main', port: 443 }, users }], env)
  return { clock, servers, main: servers.pick(new Set())! }
}

/** What one request would try. */
function allOf(servers: Servers): Server[] {
  const tried = new Set<Server>()
  for (let next = servers.pick(tried); next; next = servers.pick(tried)) tried.add(next)
  return [...tried]
}

describe('a server named by a response', () => {
  it('takes turns with the configured one, at the same host when none is named', async () => {
    const { network, outbound, say, works } = setUp()
    works('main:40001', 'other.example:40002')
    say(command())
    await requests(outbound, 4)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main'])
    say(command({ host: 'other.example', port: 40_002, id: movingId(2) }))
    await requests(outbound, 5)
    expect(takeDialed(network)).toEqual(['main:40001', 'main', 'main:40001', 'other.example:40002', 'main'])
  })

  it('is dropped when a connection to it is gone before it is used', async () => {
    const { network, outbound, say } = setUp()
    network.places.set('main:40001', (conn) => conn.destroy())
    say(command())
    await requests(outbound, 2)
    const conn = await outbound.dial(target, { until })
    conn.destroy()
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main', 'main', 'main'])
  })

  it('does not disturb the connection that brought it', async () => {
    const { outbound, say } = setUp()
    say(command({ host: 'nowhere.example' }), command({ port: 0 }), command({ validMinutes: 0 }))
    await requests(outbound, 3)
  })

  it.each([{ validMinutes: 0 }, { port: 0 }])('is not used with %j', async (change) => {
    const { network, outbound, say } = setUp()
    say(command(change))
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main'])
  })

  it('keeps security and experiments of the account that was used, and has level and id of the command', async () => {
    const experiments = { authenticatedLength: true, noTerminationSignal: false }
    const { outbound, say, seen, works } = setUp({ security: 'chacha20-poly1305', experiments })
    works('main:40001')
    say(command({ level: 7 }))
    await requests(outbound, 2)
    const conn = await outbound.dial(target, { until })
    expect(conn.info.level).toBe(7)
    await conn.write(new Uint8Array(1))
    await conn.read()
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      mode: 'aead',
      user: { email: '1@moving' },
      security: 'chacha20-poly1305',
      options: { authenticatedLength: true },
    })
    conn.destroy()
  })

  it('is met with the legacy header when it has alternative ids', async () => {
    const { outbound, say, seen, works } = setUp()
    works('main:40001')
    say(command({ id: movingId(6), alterId: 4 }))
    await requests(outbound, 3)
    expect(seen).toMatchObject([{ mode: 'legacy', security: 'aes-128-gcm', user: { email: '6@moving' } }])
  })

  it('goes when its time is over, unless it is named again', async () => {
    const { clock, network, outbound, say, works } = setUp()
    works('main:40001')
    say(command({ validMinutes: 2 }))
    await requests(outbound, 1)
    clock.advance(2 * minuteMs - 1)
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001'])
    clock.advance(1)
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['main', 'main'])

    say(command({ validMinutes: 2 }))
    await requests(outbound, 1)
    clock.advance(minuteMs)
    say(command({ validMinutes: 2 }), command({ validMinutes: 1 }))
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main'])
    clock.advance(2 * minuteMs - 1)
    await requests(outbound, 1)
    expect(takeDialed(network)).toEqual(['main:40001'])
    clock.advance(1)
    await requests(outbound, 1)
    expect(takeDialed(network)).toEqual(['main'])
  })

  it('counts once however often it is named', async () => {
    const { network, outbound, say, works } = setUp()
    works('main:40001')
    say(...Array.from({ length: 50 }, () => command()))
    await requests(outbound, 50)
    takeDialed(network)
    await requests(outbound, 20)
    expect(takeDialed(network).filter((name) => name === 'main')).toHaveLength(10)
  })

  it('is another one with another id at the same port', async () => {
    const { network, outbound, say, seen, works } = setUp()
    works('main:40001')
    say(command(), command({ id: movingId(2) }))
    await requests(outbound, 5)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main:40001', 'main'])
    expect(seen.map(({ user }) => user.email)).toEqual(['1@moving', '2@moving'])
  })

  it('can name further ones, at its own host when none is named', async () => {
    const { network, outbound, say, works } = setUp()
    const onward = answers(testServer([testUser(0, { id: movingId(1) })], fakeClock(startMs)), {
      command: () => command({ port: 40_002, id: movingId(2) }),
    })
    network.places.set('other.example:40001', onward)
    works('other.example:40002')
    say(command({ host: 'other.example' }))
    await requests(outbound, 4)
    await requests(outbound, 1)
    expect(takeDialed(network)).toEqual(['main', 'main', 'other.example:40001', 'main', 'other.example:40001'])
    await requests(outbound, 1)
    expect(takeDialed(network)).toEqual(['other.example:40002'])
  })

  it('goes when it cannot be reached, and the request is carried by another, unnoticed', async () => {
    const { lines, network, outbound, say, works } = setUp()
    works('main:40002')
    say(command(), command({ port: 40_002, id: movingId(2) }))
    await requests(outbound, 6)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main', 'main:40002', 'main', 'main:40002'])
    expect(lines.map(({ fields, message }) => [fields.server, message])).toEqual([
      ['main:40001', expect.stringContaining('for a while')],
      ['main:40002', expect.stringContaining('for a while')],
      ['main:40001', expect.stringContaining('given up: cannot connect')],
    ])
    expect(lines.every(({ level }) => level === 'info')).toBe(true)
  })

  it('costs a request 4 s at most when nothing comes back from its port', async () => {
    const { clock, network, outbound, say } = setUp()
    for (const port of [40_001, 40_002, 40_003]) network.places.set(`main:${port}`, 'silent')
    say(command(), command({ port: 40_002 }), command({ port: 40_003 }))
    await requests(outbound, 2)
    let answer = ''
    void request(outbound).then((text) => {
      answer = text
    })
    await expect.poll(() => network.dialed.length).toBe(3)
    clock.advance(limits.attemptMs)
    await expect.poll(() => answer).toBe(greeting)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main'])
  })

  it('takes no turn from the others when it goes', async () => {
    const { clock, network, outbound, say, works } = setUp()
    works('main:40001', 'main:40002', 'main:40003')
    say(command({ validMinutes: 1 }), command({ port: 40_002 }), command({ port: 40_003 }))
    await requests(outbound, 5)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main:40002', 'main'])
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['main:40001', 'main:40002'])
    clock.advance(minuteMs)
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main:40003', 'main', 'main:40002'])
  })

  it('carries requests while the configured one cannot be reached', async () => {
    const { network, outbound, say, works } = setUp()
    works('main:40001')
    say(command())
    await requests(outbound, 1)
    network.places.set('main:443', 'refuses')
    await requests(outbound, 4)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main:40001', 'main:40001', 'main:40001'])
  })

  it('does not come back by being named again before some time has passed, longer each time', async () => {
    const { clock, network, outbound, say, works } = setUp()
    const everyAnswer = Array.from({ length: 40 }, () => command())
    say(...everyAnswer)
    await requests(outbound, 8)
    expect(takeDialed(network).filter((name) => name !== 'main')).toHaveLength(1)
    clock.advance(1000)
    await requests(outbound, 8)
    expect(takeDialed(network).filter((name) => name !== 'main')).toHaveLength(1)
    clock.advance(1000)
    await requests(outbound, 8)
    expect(takeDialed(network).filter((name) => name !== 'main')).toHaveLength(0)
    const mainPlace = network.places.get('main:443')!
    network.places.set('main:443', 'refuses')
    await expect(request(outbound)).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    expect(takeDialed(network)).toEqual(['main'])
    network.places.set('main:443', mainPlace)
    clock.advance(1000)
    works('main:40001')
    await requests(outbound, 8)
    expect(takeDialed(network).filter((name) => name !== 'main').length).toBeGreaterThan(2)
  })

  it.each([
    ['closes', (conn: { closeWrite(): unknown }) => conn.closeWrite(), 'RESPONSE_MISSING'],
    ['resets', (conn: { destroy(): unknown }) => conn.destroy(), 'CONN_RESET'],
    [
      'answers nonsense',
      (conn: { write(bytes: Uint8Array): unknown }) => conn.write(new Uint8Array(64)),
      'RESPONSE_AUTH_FAILED',
    ],
  ] as const)('goes when it %s instead of answering', async (_, act, code) => {
    const { network, outbound, say } = setUp()
    network.places.set('main:40001', (conn) => void conn.read().then(() => act(conn)))
    say(command())
    await requests(outbound, 2)
    await expect(request(outbound)).rejects.toMatchObject({ code })
    await requests(outbound, 4)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main', 'main', 'main', 'main'])
  })

  it('goes when it has never answered and is silent for 5 s', async () => {
    const { clock, network, outbound, say } = setUp()
    network.places.set('main:40001', () => {})
    say(command())
    await requests(outbound, 2)
    const conn = await outbound.dial(target, { until })
    clock.advance(limits.silenceMs)
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main', 'main', 'main'])
    expect(conn.gone).toBeUndefined()
    conn.destroy()
  })

  it('goes when it has answered before and then, in 5 s, nobody: its server was started again, say', async () => {
    const { clock, network, outbound, say, works } = setUp()
    works('main:40001')
    say(command())
    await requests(outbound, 4)
    network.places.set('main:40001', () => {})
    const conn = await outbound.dial(target, { until })
    takeDialed(network)
    clock.advance(limits.silenceMs)
    await requests(outbound, 3)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main'])
    expect(conn.gone).toBeUndefined()
    conn.destroy()
  })

  it('stays when a target is slow and others are answered meanwhile', async () => {
    const { clock, network, outbound, say, works } = setUp()
    works('main:40001')
    say(command())
    await requests(outbound, 4)
    network.places.set('main:40001', () => {})
    const conn = await outbound.dial(target, { until })
    works('main:40001')
    await requests(outbound, 2)
    takeDialed(network)
    clock.advance(limits.silenceMs)
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['main', 'main:40001'])
    conn.destroy()
  })

  it('stays when our own side ends the connection before the answer', async () => {
    const { network, outbound, say, works } = setUp()
    network.places.set('main:40001', () => {})
    say(command())
    await requests(outbound, 2)
    const conn = await outbound.dial(target, { until })
    conn.destroy()
    works('main:40001')
    await requests(outbound, 2)
    expect(takeDialed(network)).toEqual(['main', 'main', 'main:40001', 'main', 'main:40001'])
  })

  it('is one of a bounded number, of which the oldest go', () => {
    const { servers, main } = bareServers()
    const count = limits.temporaryServers + 10
    for (let i = 0; i < count; i++) servers.answered(main, main.users[0]!, command({ port: 41_000 + i }))
    const ports = allOf(servers).flatMap(({ address, temporary }) => (temporary ? [address.port] : []))
    expect(ports.toSorted()).toEqual(Array.from({ length: limits.temporaryServers }, (_, i) => 41_010 + i))
  })

  it('has few alternative ids derived, however many it claims', async () => {
    const { network, outbound, say, seen } = setUp()
    const many = testServer([testUser(500, { id: movingId(3) })], fakeClock(startMs))
    network.places.set('main:40001', answers(many, { seen: (request) => seen.push(request) }))
    say(command({ id: movingId(3), alterId: 65_535 }))
    await requests(outbound, 3)
    expect(seen.map(({ mode }) => mode)).toEqual(['legacy'])
  })

  it('may be anything, in any order, and there is always a server to try', () => {
    const commands = fc.record({
      host: fc.oneof(fc.constant(''), fc.domain(), fc.ipV4(), fc.ipV6(), fc.string()),
      port: fc.integer({ min: 0, max: 65_535 }),
      id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      alterId: fc.integer({ min: 0, max: 65_535 }),
      level: fc.integer({ min: 0, max: 255 }),
      validMinutes: fc.integer({ min: 0, max: 255 }),
    })
    const few = commands.map((made) => command({ ...made, host: '', id: movingId(made.port % 3), port: made.port % 7 }))
    const step = fc.oneof(
      fc.record({ named: fc.oneof(commands, few) }),
      fc.record({ outcome: fc.constantFrom('answered', 'unanswered', 'reached') }),
      fc.record({ passMs: fc.integer({ min: -100_000, max: 300_000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { servers, clock, main } = bareServers()
        for (const one of steps) {
          expect(allOf(servers).filter(({ temporary }) => !temporary)).toEqual([main])
          const server = servers.pick(new Set())!
          if ('named' in one) servers.answered(server, server.users[0]!, one.named)
          else if ('passMs' in one) clock.advance(one.passMs)
          else if (one.outcome === 'unanswered') servers.unanswered(server)
          else if (one.outcome === 'reached') servers.reached(server)
          else servers.answered(server, server.users[0]!, undefined)
        }
        const all = allOf(servers)
        expect(all.length).toBeLessThanOrEqual(1 + limits.temporaryServers)
        expect(all).toContain(main)
      }),
      { numRuns: 200 },
    )
  })
})

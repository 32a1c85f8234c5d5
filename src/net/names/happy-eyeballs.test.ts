import { describe, expect, it } from 'vitest'
import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Logger } from '../../core/env.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { forever, Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { memoryPair } from '../memory/memory.ts'
import { happyEyeballs } from './happy-eyeballs.ts'
import type { RaceConfig } from './race.ts'

/** What an address does: connects after so long, refuses after so long, or drops everything. */
type Behaviour = { readonly connects: number } | { readonly refuses: number } | 'drops'

interface Names {
  readonly v4?: { readonly afterMs: number; readonly addresses: readonly string[] }
  readonly v6?: { readonly afterMs: number; readonly addresses: readonly string[] }
}

const v4 = (...hosts: string[]) => ({ afterMs: 0, addresses: hosts })
const target = { host: 'dual.test', port: 443 }

/** A world under a fake clock: names that resolve to addresses which behave as they are told. */
function world(names: Names, behaviour: Record<string, Behaviour>, race?: RaceConfig) {
  const clock = fakeClock(0)
  const dialed: [host: string, atMs: number][] = []
  const given: string[] = []
  const conns = new Map<string, Conn>()
  const logged: object[] = []
  const log: Logger = { ...silentLogger, debug: (fields) => void logged.push(fields) }

  const later = (ms: number, run: () => void): unknown => (ms === 0 ? queueMicrotask(run) : clock.after(ms, run))

  const base: Dialer = {
    dial: (to, { until }) =>
      new Promise((resolve, reject) => {
        dialed.push([to.host, clock.now()])
        until.onGone((why) => {
          given.push(to.host)
          reject(why)
        })
        const does = behaviour[to.host] ?? 'drops'
        if (does === 'drops') return
        if ('connects' in does) later(does.connects, () => resolve(connection(to)))
        else later(does.refuses, () => reject(refusal(to)))
      }),
  }
  const connection = (to: Address): Conn => {
    const [conn] = memoryPair()
    conns.set(to.host, conn)
    return conn
  }
  const resolve: Resolve = (host, family, until) =>
    new Promise((found, failed) => {
      until.onGone(failed)
      const entry = family === 4 ? names.v4 : names.v6
      if (!entry) return failed(new ProxyError('DNS_FAILED', `there is no host ${host}`))
      later(entry.afterMs, () => found(entry.addresses))
    })
  const dialer = happyEyeballs(base, { resolve, clock, log, ...(race && { race }) })
  const life = new Life()
  const dial = (to: Address = target) => dialer.dial(to, { until: life })

  /** Moves the clock in steps of 10 ms until the dial settles, then says when that was. */
  async function settled(work: Promise<Conn>): Promise<{ conn?: Conn; error?: unknown; atMs: number }> {
    let end: { conn?: Conn; error?: unknown; atMs: number } | undefined
    work.then(
      (conn) => (end = { conn, atMs: clock.now() }),
      (error: unknown) => (end = { error, atMs: clock.now() }),
    )
    for (let i = 0; i < 2_000; i++) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      if (end) return end
      clock.advance(10)
    }
    throw new Error('the dial never settled')
  }
  return { clock, dial, settled, dialed, given, conns, logged, life }
}

const refusal = ({ host, port }: Address): ProxyError => {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new ProxyError('DIAL_REFUSED', `cannot connect to ${at}: connection refused`)
}

describe('addresses of a name', () => {
  it('with a round trip of 400 ms connect although the other family is a black hole', async () => {
    const { dial, settled, dialed, given, conns } = world(
      { v4: v4('192.0.2.1'), v6: v4('2001:db8::1') },
      { '192.0.2.1': { connects: 400 } },
    )
    const { conn, atMs } = await settled(dial())
    expect(conn).toBe(conns.get('192.0.2.1'))
    expect(atMs).toBe(limits.attemptDelayMs + 400)
    expect(dialed).toEqual([
      ['2001:db8::1', 0],
      ['192.0.2.1', limits.attemptDelayMs],
    ])
    expect(given).toContain('2001:db8::1')
  })

  it('that are slow are not given up: the first that connects wins, whenever it was started', async () => {
    const { dial, settled, conns, given, clock } = world(
      { v4: v4('192.0.2.1', '192.0.2.2'), v6: v4('2001:db8::1') },
      { '2001:db8::1': { connects: 900 }, '192.0.2.1': { connects: 3_000 }, '192.0.2.2': { connects: 5_000 } },
    )
    const { conn, atMs } = await settled(dial())
    expect(conn).toBe(conns.get('2001:db8::1'))
    expect(atMs).toBe(900)
    expect(given.sort()).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
    expect(conn!.gone).toBeUndefined()
    clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })

  it('that connect after another has won are closed, also by a dialer that cannot be stopped', async () => {
    const clock = fakeClock(0)
    const conns: Conn[] = []
    const base: Dialer = {
      dial: ({ host }) =>
        new Promise((resolve) => {
          const [conn] = memoryPair()
          conns.push(conn)
          clock.after(host === '192.0.2.1' ? 300 : 100, () => resolve(conn))
        }),
    }
    const resolve: Resolve = async (_host, family) => (family === 4 ? ['192.0.2.1', '192.0.2.2'] : [])
    const dialer = happyEyeballs(base, { resolve, clock, log: silentLogger })
    const work = dialer.dial(target, { until: forever })
    for (let i = 0; i < 100; i++) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      clock.advance(10)
    }
    const [slow, fast] = conns
    expect(await work).toBe(slow)
    expect([slow!.gone !== undefined, fast!.gone !== undefined]).toEqual([false, true])
  })

  it('take turns by family, IPv6 first, 250 ms apart', async () => {
    const { dial, settled, dialed, life, clock } = world(
      { v4: v4('192.0.2.1', '192.0.2.2', '192.0.2.3'), v6: v4('2001:db8::1', '2001:db8::2') },
      {},
    )
    const work = dial()
    clock.after(2_000, () => life.end(new Error('left')))
    await settled(work)
    expect(dialed).toEqual([
      ['2001:db8::1', 0],
      ['192.0.2.1', 250],
      ['2001:db8::2', 500],
      ['192.0.2.2', 750],
      ['192.0.2.3', 1_000],
    ])
  })

  it('that fail start the next at once, so that a machine without IPv6 loses no time', async () => {
    const { dial, settled, dialed } = world(
      { v4: v4('192.0.2.1', '192.0.2.2'), v6: v4('2001:db8::1') },
      { '2001:db8::1': { refuses: 0 }, '192.0.2.1': { refuses: 30 }, '192.0.2.2': { connects: 30 } },
    )
    const { atMs } = await settled(dial())
    expect(dialed.map(([host]) => host)).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2'])
    expect(atMs).toBe(60)
  })

  it('are tried up to a bound', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `192.0.2.${i}`)
    const { dial, settled, dialed } = world(
      { v4: v4(...many), v6: v4() },
      Object.fromEntries(many.map((host) => [host, { refuses: 0 }])),
    )
    await settled(dial())
    expect(dialed).toHaveLength(limits.dialAddresses)
  })
})

describe('the look-ups', () => {
  it.each([
    ['IPv6 a moment later', 30, '2001:db8::1', 30],
    ['IPv6 too late', 200, '192.0.2.1', limits.resolutionDelayMs],
  ])('give %s', async (_what, afterMs, first, atMs) => {
    const { dial, settled, dialed } = world(
      { v4: v4('192.0.2.1'), v6: { afterMs, addresses: ['2001:db8::1'] } },
      { '192.0.2.1': { connects: 400 }, '2001:db8::1': { connects: 400 } },
    )
    await settled(dial())
    expect(dialed[0]).toEqual([first, atMs])
  })

  it('need not both answer', async () => {
    const { dial, settled, conns } = world(
      { v4: v4('192.0.2.1'), v6: { afterMs: 60_000, addresses: [] } },
      { '192.0.2.1': { connects: 10 } },
    )
    const { conn } = await settled(dial())
    expect(conn).toBe(conns.get('192.0.2.1'))
  })

  it('give addresses that come late their turn at once', async () => {
    const { dial, settled, dialed } = world(
      { v4: v4('192.0.2.1'), v6: { afterMs: 1_000, addresses: ['2001:db8::1'] } },
      { '2001:db8::1': { connects: 10 } },
    )
    await settled(dial())
    expect(dialed).toEqual([
      ['192.0.2.1', limits.resolutionDelayMs],
      ['2001:db8::1', 1_000],
    ])
  })

  it.each([
    [{}, 'there is no host dual.test'],
    [{ v4: v4(), v6: v4() }, 'dual.test has no address'],
  ])('that find nothing in %j end the dial with the reason', async (names, message) => {
    const { dial, settled } = world(names, {})
    await expect(settled(dial())).resolves.toMatchObject({ error: { code: 'DNS_FAILED', message } })
  })

  it('are not made for addresses', async () => {
    const { dial, settled, logged } = world({}, { '192.0.2.1': { connects: 5 }, 'fe80::1%lo': { connects: 5 } })
    await expect(settled(dial({ host: '192.0.2.1', port: 1 }))).resolves.toHaveProperty('conn')
    await expect(settled(dial({ host: 'fe80::1%lo', port: 1 }))).resolves.toHaveProperty('conn')
    expect(logged).toEqual([])
  })
})

describe('a dial that fails', () => {
  it('tells what each address said, and has the code that says most', async () => {
    const { dial, settled, logged } = world(
      { v4: v4('192.0.2.1'), v6: v4('2001:db8::1') },
      { '2001:db8::1': { refuses: 10 }, '192.0.2.1': { refuses: 20 } },
    )
    const { error } = await settled(dial())
    expect(error).toMatchObject({
      code: 'DIAL_REFUSED',
      message: 'cannot connect to dual.test:443: 2001:db8::1: connection refused; 192.0.2.1: connection refused',
    })
    expect(logged).toEqual([
      {
        target: 'dual.test:443',
        attempts: [
          { address: '2001:db8::1', startedMs: 0, said: 'connection refused', saidMs: 10 },
          { address: '192.0.2.1', startedMs: 10, said: 'connection refused', saidMs: 30 },
        ],
      },
    ])
  })

  it('for its limit in time keeps that code, names the silent addresses and gives up all of them', async () => {
    const { dial, settled, given, life, clock } = world({ v4: v4('192.0.2.1'), v6: v4('2001:db8::1') }, {})
    const work = dial()
    clock.after(16_000, () => life.end(new ProxyError('DIAL_TIMEOUT', 'no connection within 16 s')))
    const { error } = await settled(work)
    expect(error).toMatchObject({
      code: 'DIAL_TIMEOUT',
      message: 'no connection within 16 s to dual.test:443: 2001:db8::1: nothing; 192.0.2.1: nothing',
    })
    expect(given.sort()).toEqual(['192.0.2.1', '2001:db8::1'])
  })

  it('because somebody left says so, and later answers change nothing', async () => {
    const { dial, settled, life, clock, dialed } = world(
      { v4: v4('192.0.2.1'), v6: { afterMs: 500, addresses: ['2001:db8::1'] } },
      {},
    )
    const work = dial()
    clock.after(300, () => life.end(new Error('left')))
    await expect(settled(work)).resolves.toMatchObject({ error: { code: 'DIAL_ABORTED' }, atMs: 300 })
    clock.advance(5_000)
    expect(dialed).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

describe('a race that was configured', () => {
  const four = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
  const six = ['2001:db8::1', '2001:db8::2']
  const order = async (race: RaceConfig, behaviour: Record<string, Behaviour> = {}) => {
    const { dial, settled, dialed } = world(
      { v4: v4(...four), v6: v4(...six) },
      { [six[1]!]: { connects: 0 }, ...behaviour },
      race,
    )
    await settled(dial())
    return dialed
  }

  it('begins with the family it is told, and gives it so many turns', async () => {
    expect((await order({ first: 4 })).map(([host]) => host)).toEqual([four[0], six[0], four[1], six[1]])
    expect((await order({ first: 4, interleave: 2 })).map(([host]) => host)).toEqual([
      ...[four[0], four[1], six[0]],
      ...[four[2], six[1]],
    ])
    expect((await order({})).map(([host]) => host)).toEqual([six[0], four[0], six[1]])
  })

  it('waits as long as it is told, and for a place where there are only so many', async () => {
    expect((await order({ delayMs: 100 })).map(([, atMs]) => atMs)).toEqual([0, 100, 200])
    const refuses = { [six[0]!]: { refuses: 900 }, [four[0]!]: { refuses: 900 } }
    expect(await order({ delayMs: 100, atOnce: 1 }, refuses)).toEqual([
      [six[0], 0],
      [four[0], 900],
      [six[1], 1_800],
    ])
  })
})

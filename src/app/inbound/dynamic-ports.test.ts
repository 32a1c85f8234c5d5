import { describe, expect, it } from 'vitest'
import type { Conn } from '../../core/conn.ts'
import type { Listener } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { udpListener } from '../../net/datagrams/udp-listener.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { InboundConfig, ListenConfig } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { RunningInbound } from './running-inbound.ts'
import { alone } from './shared/shared-ports.ts'

const minuteMs = 60_000

interface RigOptions {
  readonly refresh?: number
  readonly concurrency?: number
  readonly range?: readonly number[]
  readonly seed?: number
}

const portsFrom = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

/** An inbound over a listener that binds nothing. */
function rig({ refresh = 5, concurrency = 2, range = portsFrom(100, 10), seed = 1 }: RigOptions = {}) {
  const clock = fakeClock(1_700_000_000_000)
  const said: string[] = []
  const note = (level: string) => (_fields: object, message: string) => void said.push(`${level} ${message}`)
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  /** What accepts on the ports that are bound now. */
  const bound = new Map<number, (conn: Conn) => void>()
  const taken = new Set<number>()
  const binds: number[] = []
  let hold: Promise<void> | undefined
  const base: Listener = {
    async listen(address, accept) {
      const { port } = address
      await hold
      binds.push(port)
      if (taken.has(port) || bound.has(port)) throw new ProxyError('LISTEN_FAILED', `port ${port} is taken`)
      bound.set(port, accept)
      return { address, close: async () => void bound.delete(port) }
    },
  }
  const accepted: Conn[] = []
  const listenOn = (ports: readonly number[]): ListenConfig[] =>
    ports.map((port) => ({ address: { host: '127.0.0.1', port } }))
  const configFor = (ports: readonly number[], allocate?: { refreshMinutes: number; concurrency: number }) =>
    ({
      tag: 'moving',
      at: 'inbounds[0]',
      listen: listenOn(ports),
      ...(allocate && { allocate }),
    }) as unknown as InboundConfig
  const partsFor = (config: InboundConfig) => ({
    config,
    handler: { serve: async () => {} },
    base: alone(base),
    binding: {},
    layers: [],
    files: [],
    udp: udpListener(),
  })
  const inbound = new RunningInbound(partsFor(configFor(range, { refreshMinutes: refresh, concurrency })), undefined, {
    env: { clock, random: fakeRandom(seed), log },
    accept: (_handler, conn) => void accepted.push(conn),
    acceptPackets: () => {},
    listening: () => {},
  })
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    clock,
    said,
    bound,
    taken,
    binds,
    accepted,
    inbound,
    settle,
    open: () => [...bound.keys()].sort((a, b) => a - b),
    async pass(minutes: number) {
      for (let i = 0; i < minutes; i++) {
        clock.advance(minuteMs)
        await settle()
      }
    },
    adopt: (ports: readonly number[], allocate?: { refreshMinutes: number; concurrency: number }) =>
      inbound.adopt(partsFor(configFor(ports, allocate))),
    holdBinds() {
      let go = () => {}
      hold = new Promise((resolve) => (go = resolve))
      return () => {
        hold = undefined
        go()
      }
    },
  }
}

describe('dynamic ports', () => {
  it('open a batch of the range at each refresh, each for two periods', async () => {
    const r = rig({ refresh: 5, concurrency: 2, range: portsFrom(100, 100) })
    await r.inbound.openAll()
    const first = r.open()
    expect(first).toHaveLength(2)
    await r.pass(4)
    expect(r.open()).toEqual(first)
    await r.pass(1)
    const overlap = r.open()
    expect(overlap).toHaveLength(4)
    expect(overlap).toEqual(expect.arrayContaining(first))
    const second = overlap.filter((port) => !first.includes(port))
    await r.pass(4)
    expect(r.open()).toEqual(overlap)
    await r.pass(1)
    expect(r.open()).toHaveLength(4)
    expect(r.open()).toEqual(expect.arrayContaining(second))
    expect(r.open().some((port) => first.includes(port))).toBe(false)
    r.inbound.closeAll()
  })

  it('never take a port that is in use, in a range with room for two batches only', async () => {
    const r = rig({ refresh: 2, concurrency: 2, range: portsFrom(100, 4) })
    await r.inbound.openAll()
    for (let i = 0; i < 50; i++) {
      await r.pass(2)
      expect(r.open()).toEqual([100, 101, 102, 103])
    }
    expect(r.said.filter((line) => line.startsWith('warn'))).toEqual([])
    r.inbound.closeAll()
  })

  it('reach every port of the range in the long run', async () => {
    const r = rig({ refresh: 2, concurrency: 1, range: portsFrom(100, 6) })
    await r.inbound.openAll()
    await r.pass(200)
    expect([...new Set(r.binds)].sort()).toEqual(portsFrom(100, 6))
    r.inbound.closeAll()
  })

  it('try another port in the place of one that is taken, and warn', async () => {
    const r = rig({ concurrency: 3, range: portsFrom(100, 9) })
    for (const port of [100, 102, 104, 106, 108, 101]) r.taken.add(port)
    await r.inbound.openAll()
    expect(r.open()).toEqual([103, 105, 107])
    const failures = r.binds.length - 3
    expect(failures).toBeGreaterThan(0)
    expect(r.said.filter((line) => /^warn dynamic port: port 10\d is taken$/.test(line))).toHaveLength(failures)
    r.inbound.closeAll()
  })

  it('do with fewer when there are no more, and say so', async () => {
    const r = rig({ concurrency: 3, range: portsFrom(100, 9) })
    for (const port of portsFrom(101, 8)) r.taken.add(port)
    await r.inbound.openAll()
    expect(r.open()).toEqual([100])
    expect(r.said).toContain('warn only 1 of 3 dynamic ports could be opened')
    r.inbound.closeAll()
  })

  it('try a bounded number of ports', async () => {
    const r = rig({ concurrency: 3, range: portsFrom(1000, 5000) })
    for (const port of portsFrom(1000, 5000)) r.taken.add(port)
    await expect(r.inbound.openAll()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(r.binds).toHaveLength(32)
  })

  it('fail the start when not one can be opened, and leave nothing behind', async () => {
    const r = rig({ concurrency: 1, range: portsFrom(100, 3) })
    for (const port of portsFrom(100, 3)) r.taken.add(port)
    await expect(r.inbound.openAll()).rejects.toThrow('not one dynamic port could be opened, 3 were tried: port 10')
    r.inbound.closeAll()
    expect(r.clock.pending).toBe(0)
  })

  it('go on at the next refresh after one at which nothing could be opened', async () => {
    const r = rig({ refresh: 2, concurrency: 1, range: portsFrom(100, 3) })
    await r.inbound.openAll()
    for (const port of portsFrom(100, 3)) r.taken.add(port)
    await r.pass(2)
    expect(r.inbound.randomPort()).toBeUndefined()
    r.taken.clear()
    await r.pass(2)
    expect(r.open()).toHaveLength(1)
    expect(r.inbound.randomPort()?.port).toBe(r.open()[0])
    r.inbound.closeAll()
  })

  it('log what opens and what closes', async () => {
    const r = rig({ refresh: 2, concurrency: 1, range: portsFrom(100, 5) })
    await r.inbound.openAll()
    const [first] = r.open()
    await r.pass(4)
    expect(r.said[0]).toBe(`info dynamic ports open for 4 minutes: ${first}`)
    expect(r.said).toContain(`info dynamic ports closed: ${first}`)
    r.inbound.closeAll()
  })

  it('leave no timer and no open port when the inbound is closed, also in the middle of a refresh', async () => {
    const r = rig({ refresh: 2 })
    await r.inbound.openAll()
    await r.pass(3)
    const go = r.holdBinds()
    r.clock.advance(minuteMs)
    r.inbound.closeAll()
    expect(r.clock.pending).toBe(0)
    go()
    await r.settle()
    await r.settle()
    expect(r.open()).toEqual([])
    expect(r.clock.pending).toBe(0)
  })

  it('leave accepted connections alone when they close', async () => {
    const r = rig({ refresh: 2, concurrency: 1 })
    await r.inbound.openAll()
    const [near] = memoryPair()
    r.bound.get(r.open()[0]!)!(near)
    expect(r.accepted).toEqual([near])
    const [first] = r.open()
    await r.pass(4)
    expect(r.said).toContain(`info dynamic ports closed: ${first}`)
    expect(near.gone).toBeUndefined()
    r.inbound.closeAll()
    expect(near.gone).toBeUndefined()
  })
})

describe('a random port', () => {
  it('is of the newest batch, with the minutes that are left of its period', async () => {
    const r = rig({ refresh: 5, concurrency: 2, range: portsFrom(100, 50) })
    await r.inbound.openAll()
    expect(r.inbound.randomPort()?.minutes).toBe(5)
    r.clock.advance(59_000)
    expect(r.inbound.randomPort()?.minutes).toBe(5)
    r.clock.advance(1000)
    expect(r.inbound.randomPort()?.minutes).toBe(4)
    await r.pass(3)
    expect(r.inbound.randomPort()?.minutes).toBe(1)
    const first = r.open()
    await r.pass(1)
    const given = Array.from({ length: 50 }, () => r.inbound.randomPort()!)
    expect([...new Set(given.map(({ port }) => port))].sort()).toEqual(r.open().filter((port) => !first.includes(port)))
    expect(given.every(({ minutes }) => minutes === 5)).toBe(true)
    r.inbound.closeAll()
  })

  it('is promised for 255 minutes at the most, and for no time longer than its batch lives', async () => {
    const long = rig({ refresh: 1000 })
    await long.inbound.openAll()
    expect(long.inbound.randomPort()?.minutes).toBe(255)
    long.clock.advance(900 * minuteMs)
    expect(long.inbound.randomPort()?.minutes).toBe(100)
    const short = rig({ refresh: 2 })
    await short.inbound.openAll()
    short.clock.set(short.clock.now() - 3_600_000)
    expect(short.inbound.randomPort()?.minutes).toBe(2)
    short.clock.set(short.clock.now() + 36_000_000)
    expect(short.inbound.randomPort()?.minutes).toBe(2)
    short.clock.advance(90_000)
    expect(short.inbound.randomPort()?.minutes).toBe(1)
  })

  it('of ports that do not move is any of them, for 255 minutes', async () => {
    const r = rig()
    r.adopt([700, 701, 702])
    expect(r.inbound.randomPort()).toBeUndefined()
    await r.inbound.openAll()
    const given = Array.from({ length: 60 }, () => r.inbound.randomPort()!)
    expect([...new Set(given.map(({ port }) => port))].sort()).toEqual([700, 701, 702])
    expect(given.every(({ minutes }) => minutes === 255)).toBe(true)
    expect(r.clock.pending).toBe(0)
  })
})

describe('with other settings', () => {
  it('the new range is used at once, and ports of the old one live out their time', async () => {
    const r = rig({ refresh: 5, concurrency: 1, range: portsFrom(100, 10) })
    await r.inbound.openAll()
    const [old] = r.open()
    r.adopt(portsFrom(200, 10), { refreshMinutes: 2, concurrency: 1 })
    await r.inbound.movePorts()
    expect(r.open()).toEqual([old, expect.toSatisfy((port: number) => port >= 200)])
    await r.pass(9)
    expect(r.open()).toContain(old)
    await r.pass(1)
    expect(r.open()).not.toContain(old)
    expect(r.open().every((port) => port >= 200)).toBe(true)
    r.inbound.closeAll()
    expect(r.clock.pending).toBe(0)
  })

  it('nothing happens when they are the same', async () => {
    const r = rig({ refresh: 5, concurrency: 1 })
    await r.inbound.openAll()
    const before = r.open()
    r.adopt(portsFrom(100, 10), { refreshMinutes: 5, concurrency: 1 })
    await r.inbound.movePorts()
    expect(r.open()).toEqual(before)
    await r.pass(5)
    expect(r.open()).toHaveLength(2)
    r.inbound.closeAll()
  })

  it('a range that cannot be opened at all is tried again', async () => {
    const r = rig({ refresh: 5, concurrency: 1 })
    await r.inbound.openAll()
    for (const port of portsFrom(200, 10)) r.taken.add(port)
    r.adopt(portsFrom(200, 10), { refreshMinutes: 2, concurrency: 1 })
    await expect(r.inbound.movePorts()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    r.taken.clear()
    await r.pass(2)
    expect(r.open().filter((port) => port >= 200)).toHaveLength(1)
    r.inbound.closeAll()
    expect(r.clock.pending).toBe(0)
  })

  it('ports that stop moving are left to the caller', async () => {
    const r = rig({ refresh: 2, concurrency: 2 })
    await r.inbound.openAll()
    const open = r.open()
    r.adopt([700])
    await r.inbound.movePorts()
    expect(r.clock.pending).toBe(0)
    await r.pass(10)
    expect(r.open()).toEqual(open)
    expect(r.inbound.randomPort()?.minutes).toBe(255)
    r.inbound.closeAll()
    expect(r.open()).toEqual([])
  })
})

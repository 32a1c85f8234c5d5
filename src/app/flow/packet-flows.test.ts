import { describe, expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import type { PacketConn, PacketDialOptions } from '../../core/datagrams/packet.ts'
import type { Outbound } from '../../core/dialer.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ended } from '../../core/inbound.ts'
import { limits } from '../../core/limits.ts'
import type { Totals } from '../../core/session.ts'
import { unlimited } from '../../core/user-limits.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { defaultSystemPolicy } from '../../settings/model.ts'
import { Counters } from '../../stats/counters.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createDispatch } from './dispatch.ts'
import type { End, Flow } from './flow.ts'
import { countingIds, Flows } from './flows.ts'
import { LoopGuard } from './loop-guard.ts'
import { Observers } from './observers.ts'

const target = { host: '192.0.2.7', port: 53 }
const other = { host: '192.0.2.8', port: 5353 }
const user = { email: 'alice@example.com', level: 0 }
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function rig(packets: boolean = true) {
  const clock = fakeClock(1_700_000_000_000)
  const seen: string[] = []
  const closed: { totals: Totals; drops: Totals | undefined; code: string | undefined }[] = []
  const observer = new Observers(
    [
      {
        opened: ({ network }) => void seen.push(`opened ${network}`),
        routed: (_session, tag) => void seen.push(`routed ${tag}`),
        connected: ({ encoding }) => void seen.push(`connected by ${encoding}`),
        failed: (_session, error) => void seen.push(`failed ${error.code}`),
        closed: ({ drops }, totals, reason) =>
          void closed.push({ totals: { ...totals }, drops: drops && { ...drops }, code: reason?.code }),
      },
    ],
    silentLogger,
  )
  const opened: { options: PacketDialOptions; world: PacketConn }[] = []
  const outbound: Outbound = {
    tag: 'out',
    dial: async () => Promise.reject(new Error('no stream was asked for')),
    close: async () => {},
    ...(packets && {
      packets: {
        open: async (options) => {
          const [far, world] = memoryPackets({ info: [{ encoding: 'xudp' }, {}] })
          opened.push({ options, world })
          return far
        },
      },
    }),
  }
  const accounts = new Accounts(clock)
  const counters = new Counters()
  const flows = new Flows({ clock, accounts, nextId: countingIds() })
  const io = createDispatch(
    { tag: 'in', at: 'inbounds[0]' },
    {
      env: { clock, random: fakeRandom(1), log: silentLogger },
      policy: () => ({ levels: new Map(), system: defaultSystemPolicy }),
      route: () => outbound,
      flows,
      counters,
      observer,
      loops: new LoopGuard(),
      handshakes: new Set<End>(),
    },
  )
  /** A client's own end of its datagrams, and what becomes of them. */
  const client = (host = '198.51.100.1', idleMs?: number): { own: PacketConn; ended: Promise<Ended> } => {
    const [near, own] = memoryPackets({ info: [{ remote: `${host}:4000` }, {}] })
    const ended = io.carryPackets(near, { network: 'udp', target, user, ...(idleMs !== undefined && { idleMs }) })
    return { own, ended }
  }
  return { clock, seen, closed, opened, accounts, counters, flows, client }
}

const codeOf = (error: unknown) => (error as ProxyError | undefined)?.code

function received(conn: PacketConn): string[] {
  const got: string[] = []
  conn.drainTo((lent, { host }) => void got.push(`${host} ${Buffer.from(lent)}`)).catch(() => {})
  return got
}

describe('datagrams of one client socket', () => {
  it('are one flow to wherever they go, counted for user and ends', async () => {
    const r = rig()
    const { own } = r.client()
    await settle()
    expect(r.opened[0]?.options.first).toEqual(target)
    const world = r.opened[0]!.world
    const [sent, answers] = [received(world), received(own)]
    own.send(Buffer.from('one'), target)
    own.send(Buffer.from('four'), other)
    await settle()
    world.send(Buffer.from('answer'), other)
    await settle()
    expect(sent).toEqual(['192.0.2.7 one', '192.0.2.8 four'])
    expect(answers).toEqual(['192.0.2.8 answer'])
    expect(r.seen).toEqual(['opened udp', 'routed out', 'connected by xudp'])
    const [flow] = r.flows as Iterable<Flow>
    expect(flow?.totals).toEqual({ uplink: 7, downlink: 6 })
    expect(r.counters.get('user>>>alice@example.com>>>traffic>>>uplink')?.value).toBe(7)
    expect(r.counters.get('inbound>>>in>>>traffic>>>downlink')?.value).toBe(6)
  })

  it('end when they have been quiet for as long as the policy says, or whoever asked for them', async () => {
    const r = rig()
    const byPolicy = r.client('198.51.100.1')
    const byRequest = r.client('198.51.100.2', 20_000)
    await settle()
    r.clock.advance(19_999)
    expect(r.flows.size).toBe(2)
    r.clock.advance(1)
    expect(codeOf(await byRequest.ended)).toBe('IDLE_TIMEOUT')
    r.clock.advance(280_000)
    expect(codeOf(await byPolicy.ended)).toBe('IDLE_TIMEOUT')
    expect(r.flows.size).toBe(0)
    expect(r.flows.quiet.size).toBe(0)
  })

  it('are refused by an outbound that carries none, and it is said why', async () => {
    const r = rig(false)
    const error = await r.client().ended
    expect(codeOf(error)).toBe('OUTBOUND_TCP_ONLY')
    expect(error?.message).toContain('"out"')
    expect(r.seen).toEqual(['opened udp', 'routed out', 'failed OUTBOUND_TCP_ONLY'])
  })

  it('are held to the limits of their user: connections, speed, quota', async () => {
    const r = rig()
    r.accounts.open(user.email, { ...unlimited, connections: 1, uplink: 10_000, quota: 5_000 })
    const first = r.client()
    await settle()
    expect(codeOf(await r.client().ended)).toBe('USER_CONNECTIONS')
    received(r.opened[0]!.world)
    for (let i = 0; i < 8; i++) first.own.send(new Uint8Array(1_000), target)
    await settle()
    const [flow] = r.flows as Iterable<Flow>
    const passed = flow!.totals.uplink
    expect(passed).toBeGreaterThan(0)
    expect(flow!.session.drops).toEqual({ uplink: 8 - passed / 1_000, downlink: 0 })
    while (r.flows.size > 0) {
      r.clock.advance(1_000)
      first.own.send(new Uint8Array(1_000), target)
      await settle()
    }
    expect(codeOf(await first.ended)).toBe('USER_QUOTA')
    expect(r.closed[0]?.drops?.uplink).toBeGreaterThan(0)
  })

  it('end when an operator says so', async () => {
    const r = rig()
    const { ended } = r.client()
    await settle()
    r.flows.end(new ProxyError('SESSION_ENDED', 'kicked'), () => true)
    expect(codeOf(await ended)).toBe('SESSION_ENDED')
  })
})

describe('the bound on sessions of datagrams', () => {
  it('ends the one of the same client that was quiet for longest', async () => {
    const r = rig()
    const stranger = r.client('203.0.113.9')
    const first = r.client()
    const second = r.client()
    await settle()
    for (let i = 2; i < limits.udpSessionsPerClient; i++) r.client()
    await settle()
    r.clock.advance(limits.udpQuietStepMs)
    received(r.opened[1]!.world)
    first.own.send(Buffer.from('here'), target)
    await settle()
    r.client()
    expect(codeOf(await second.ended)).toBe('UDP_MAKES_ROOM')
    expect(r.flows.size).toBe(limits.udpSessionsPerClient + 1)
    expect(stranger.own.gone).toBeUndefined()
    expect(first.own.gone).toBeUndefined()
  })

  it('ends the one that was quiet for longest of all, when descriptors run out', async () => {
    const r = rig()
    const first = r.client('203.0.113.1')
    const second = r.client('203.0.113.2')
    await settle()
    expect(r.flows.quiet.evictIdle()).toBe(true)
    expect(codeOf(await first.ended)).toBe('UDP_MAKES_ROOM')
    expect(r.flows.quiet.evictIdle()).toBe(true)
    expect(codeOf(await second.ended)).toBe('UDP_MAKES_ROOM')
    expect(r.flows.quiet.evictIdle()).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import type { Conn } from '../../core/conn.ts'
import type { ProxyError } from '../../core/errors.ts'
import { unlimited } from '../../core/user-limits.ts'
import { udpListener } from '../../net/datagrams/udp-listener.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import { formatUuid } from '../../protocol/vmess/users/identity.ts'
import type { InboundConfig, VmessUser } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { countingIds, Flows } from '../flow/flows.ts'
import { RunningInbound } from '../inbound/running-inbound.ts'
import { Detour } from './detour.ts'
import { LiveUsers } from './live-users.ts'

interface InboundOptions {
  readonly users?: readonly VmessUser[]
  readonly detourTo?: string
  readonly ports?: readonly number[]
  readonly refresh?: number
  readonly protocol?: string
  readonly path?: string
  readonly default?: { readonly level: number; readonly alterId: number }
}

const target = { host: 'example.com', port: 80 }
const user = (n: number, email: string, change: Partial<VmessUser> = {}): VmessUser => ({
  id: new Uint8Array(16).fill(n),
  alterId: 0,
  level: 0,
  email,
  experiments: { authenticatedLength: false, noTerminationSignal: false },
  ...change,
})
const alice = user(1, 'alice@home.lan')

function rig() {
  const clock = fakeClock(1_700_000_000_000)
  const warnings: string[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (_: object, message: string) => void warnings.push(message) }
  const env = { clock, random: fakeRandom(5), log }
  const accounts = new Accounts(clock)
  const flows = new Flows({ clock, accounts, nextId: countingIds() })
  const users = new LiveUsers(accounts, flows)
  const inbounds = new Map<string, RunningInbound>()
  const detour = new Detour({ env, users, inbound: (tag) => inbounds.get(tag) })

  /** An inbound that is open, and what its users are told. */
  async function inbound(tag: string, options: InboundOptions = {}) {
    const { ports = [443], path, refresh, protocol = 'vmess', detourTo } = options
    const config = {
      tag,
      at: `inbounds[${inbounds.size}]`,
      protocol,
      listen: ports.map((port) => ({ address: { host: '127.0.0.1', port, ...(path && { path }) } })),
      ...(refresh && { allocate: { refreshMinutes: refresh, concurrency: 1 } }),
      settings: {
        users: options.users ?? [],
        default: options.default ?? { level: 0, alterId: 0 },
        ...(detourTo && { detourTo }),
      },
    } as unknown as InboundConfig
    const base = {
      listen: async (address: { host: string; port: number }) => ({
        address,
        close: async () => {},
        pending: 0,
        shared: false,
      }),
    }
    const parts = {
      config,
      handler: { serve: async () => {} },
      base,
      udp: udpListener(),
      layers: [],
      files: [],
      binding: {},
    }
    const directory = protocol === 'vmess' ? new UserDirectory<VmessUser>(options.users) : undefined
    const running = new RunningInbound(parts, directory, { env, accept() {}, acceptPackets() {}, listening() {} })
    users.enter(running)
    inbounds.set(tag, running)
    await running.openAll()
    return { running, users: directory!, tell: (whom: VmessUser) => detour.of(config, directory)?.(whom) }
  }

  /** A session of a user. */
  function session(running: RunningInbound, of: VmessUser) {
    const [near] = memoryPair()
    const flow = flows.open(running, near as Conn, { network: 'tcp', target, user: of })
    return { flow, reason: () => (flow.reason as ProxyError | undefined)?.code }
  }

  return { clock, warnings, accounts, users, inbounds, inbound, session, detour }
}

const idOf = (told: { readonly id: Uint8Array } | undefined) => (told ? formatUuid(told.id) : undefined)

describe('a request on an inbound with a detour', () => {
  it('is answered with a port of the target and the user there with the same e-mail, letter case aside', async () => {
    const r = rig()
    const known = user(9, 'Alice@Home.LAN', { alterId: 3, level: 7 })
    const moving = await r.inbound('moving', { users: [user(8, 'bob@home.lan'), known], ports: [4001] })
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    const told = front.tell(alice)
    expect(told).toEqual({ host: '', port: 4001, id: known.id, alterId: 3, level: 7, validMinutes: 255 })
    expect(moving.users.size).toBe(2)
  })

  it('makes a user with the defaults of the target, the same for every request', async () => {
    const r = rig()
    const moving = await r.inbound('moving', { ports: [4001, 4002], default: { level: 2, alterId: 64 } })
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    const told = front.tell(alice)!
    expect(told).toMatchObject({ alterId: 64, level: 2 })
    expect(told.id).not.toEqual(alice.id)
    expect(moving.users.get(told.id)).toMatchObject({ email: 'alice@home.lan', alterId: 64, level: 2 })
    const ports = new Set<number>()
    for (let i = 0; i < 40; i++) {
      const again = front.tell(alice)!
      expect(again.id).toEqual(told.id)
      ports.add(again.port)
    }
    expect([...ports].sort()).toEqual([4001, 4002])
    expect(moving.users.size).toBe(1)
    expect(r.users.guests?.made(moving.users.get(told.id)!)).toBe(true)
    expect(r.users.guests?.made(alice)).toBe(false)
  })

  it('says for how many minutes a moving port is good', async () => {
    const r = rig()
    await r.inbound('moving', { ports: [4001, 4002, 4003, 4004], refresh: 3 })
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    expect(front.tell(alice)?.validMinutes).toBe(3)
    r.clock.advance(125_000)
    expect(front.tell(alice)?.validMinutes).toBe(1)
  })

  it('finds a user without e-mail for one without', async () => {
    const r = rig()
    const nameless = user(9, '')
    await r.inbound('moving', { users: [user(8, 'bob@home.lan'), nameless] })
    const front = await r.inbound('front', { users: [user(2, ''), user(3, '')], detourTo: 'moving' })
    expect(front.tell(user(2, ''))?.id).toEqual(nameless.id)
    expect(front.tell(user(3, ''))?.id).toEqual(nameless.id)
  })

  it('makes one for each user without e-mail when there is none, so that each can be removed alone', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const [a, b] = [user(2, ''), user(3, '')]
    const front = await r.inbound('front', { users: [a, b], detourTo: 'moving' })
    const first = front.tell(a)!
    const second = front.tell(b)!
    expect(second.id).not.toEqual(first.id)
    expect(front.tell(a)?.id).toEqual(first.id)
    expect(moving.users.size).toBe(2)
    r.users.remove(front.running, a)
    expect(moving.users.get(first.id)).toBeUndefined()
    expect(front.tell(b)?.id).toEqual(second.id)
  })

  it('goes to a target that came later, and follows what the target is at each request', async () => {
    const r = rig()
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    expect(front.tell(alice)).toBeUndefined()
    const first = await r.inbound('moving', { ports: [4001] })
    expect(front.tell(alice)?.port).toBe(4001)
    first.running.closeAll()
    r.users.leave(first.running)
    const second = await r.inbound('moving', { ports: [5001] })
    const told = front.tell(alice)!
    expect(told.port).toBe(5001)
    expect(second.users.get(told.id)?.email).toBe(alice.email)
  })

  it('is answered without one, and warned of once a minute, when the tag is missing', async () => {
    const r = rig()
    const front = await r.inbound('front', { users: [alice], detourTo: 'nowhere' })
    const other = await r.inbound('other', { users: [alice], detourTo: 'lost' })
    for (let i = 0; i < 5; i++) expect(front.tell(alice)).toBeUndefined()
    expect(r.warnings).toEqual(['the detour leads to "nowhere", and there is no inbound with this tag'])
    other.tell(alice)
    expect(r.warnings).toHaveLength(2)
    r.clock.advance(59_999)
    front.tell(alice)
    expect(r.warnings).toHaveLength(2)
    r.clock.advance(1)
    front.tell(alice)
    expect(r.warnings).toHaveLength(3)
  })

  it.each([
    ['not VMess', { protocol: 'socks' }],
    ['on a unix socket', { ports: [0], path: '/run/v.sock' }],
    ['open nowhere', { ports: [] }],
  ])('is answered without one, and without a word, when the target is %s', async (_what, options) => {
    const r = rig()
    const moving = await r.inbound('moving', options)
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    expect(front.tell(alice)).toBeUndefined()
    expect(r.warnings).toEqual([])
    expect(moving.users?.size ?? 0).toBe(0)
  })

  it('asks nobody without a detour', async () => {
    const r = rig()
    const front = await r.inbound('front', { users: [alice] })
    expect(front.tell(alice)).toBeUndefined()
    expect(r.detour.of(front.running.config, front.users)).toBeUndefined()
  })

  it('makes one user for all inbounds that lead there', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const fronts = await Promise.all(
      ['a', 'b', 'c'].map((tag, n) => r.inbound(tag, { users: [user(n + 1, alice.email)], detourTo: 'moving' })),
    )
    const ids = fronts.map((front, n) => idOf(front.tell(user(n + 1, alice.email))))
    expect(new Set(ids).size).toBe(1)
    expect(moving.users.size).toBe(1)
  })
})

describe('a user whom a detour made', () => {
  it('shares the account of the e-mail: limits and what was used', async () => {
    const r = rig()
    const limited = { ...alice, limits: { ...unlimited, connections: 1 } }
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [limited], detourTo: 'moving' })
    const guest = moving.users.get(front.tell(limited)!.id)!
    const { flow } = r.session(front.running, limited)
    flow.account?.admit(flow)
    const second = r.session(moving.running, guest).flow
    expect(second.account).toBe(flow.account)
    expect(() => second.account?.admit(second)).toThrow('as many as permitted')
  })

  it('goes with the user for whom it was made, and so do its sessions', async () => {
    const r = rig()
    const bob = user(2, 'bob@home.lan')
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [alice, bob], detourTo: 'moving' })
    const guest = moving.users.get(front.tell(alice)!.id)!
    const other = moving.users.get(front.tell(bob)!.id)!
    const sessions = [r.session(front.running, alice), r.session(moving.running, guest)]
    const others = r.session(moving.running, other)
    expect(r.users.remove(front.running, alice)).toBe(2)
    expect(sessions.map(({ reason }) => reason())).toEqual(['USER_REMOVED', 'USER_REMOVED'])
    expect(others.reason()).toBeUndefined()
    expect([...moving.users]).toEqual([other])
    expect(r.accounts.get(alice.email)).toBeUndefined()
    expect(r.users.guests?.made(guest)).toBe(false)
  })

  it('stays while another inbound has a user with this e-mail who was told of it', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const again = user(2, 'ALICE@home.lan')
    const a = await r.inbound('a', { users: [alice], detourTo: 'moving' })
    const b = await r.inbound('b', { users: [again], detourTo: 'moving' })
    const { id } = a.tell(alice)!
    b.tell(again)
    const { reason } = r.session(moving.running, moving.users.get(id)!)
    r.users.remove(a.running, alice)
    expect(moving.users.get(id)).toBeDefined()
    expect(reason()).toBeUndefined()
    r.users.remove(b.running, again)
    expect(moving.users.get(id)).toBeUndefined()
    expect(reason()).toBe('USER_REMOVED')
    expect(r.accounts.size).toBe(0)
  })

  it('goes with the inbound for which it was made', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    front.tell(alice)
    front.running.closeAll()
    r.users.leave(front.running)
    expect(moving.users.size).toBe(0)
    expect(r.accounts.size).toBe(0)
  })

  it('is not the user of the target’s own who was found', async () => {
    const r = rig()
    const known = user(9, alice.email)
    const moving = await r.inbound('moving', { users: [known] })
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    front.tell(alice)
    expect(r.users.remove(front.running, alice)).toBe(0)
    expect([...moving.users]).toEqual([known])
  })

  it('is made anew after it was removed from the target', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    const first = front.tell(alice)!
    r.users.remove(moving.running, moving.users.get(first.id)!)
    const second = front.tell(alice)!
    expect(second.id).not.toEqual(first.id)
    expect(moving.users.size).toBe(1)
    r.users.remove(front.running, alice)
    expect(moving.users.size).toBe(0)
    expect(r.accounts.size).toBe(0)
  })

  it('gives way to a user with its e-mail whom an operator adds to the target', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    front.tell(alice)
    const own = user(9, alice.email)
    r.users.add(moving.running, own)
    expect([...moving.users]).toEqual([own])
    expect(front.tell(alice)?.id).toEqual(own.id)
    expect(() => r.users.add(moving.running, user(8, alice.email))).toThrow('has a user')
    r.users.remove(front.running, alice)
    expect([...moving.users]).toEqual([own])
    r.users.remove(moving.running, own)
    expect(r.accounts.size).toBe(0)
  })

  it('is renamed with the user for whom it was made, so that clients can go on', async () => {
    const r = rig()
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    const { id } = front.tell(alice)!
    const renamed = { ...alice, email: 'alice@work.lan' }
    r.users.change(front.running, renamed)
    expect(moving.users.get(id)?.email).toBe('alice@work.lan')
    expect(front.tell(renamed)?.id).toEqual(id)
    r.users.remove(front.running, renamed)
    expect(moving.users.size).toBe(0)
    expect(r.accounts.size).toBe(0)
  })

  it('goes when its user takes the e-mail of another who has one', async () => {
    const r = rig()
    const moving = await r.inbound('moving', { users: [user(9, 'bob@home.lan')] })
    const front = await r.inbound('front', { users: [alice], detourTo: 'moving' })
    const { id } = front.tell(alice)!
    const renamed = { ...alice, email: 'bob@home.lan' }
    r.users.change(front.running, renamed)
    expect(moving.users.get(id)).toBeUndefined()
    expect(front.tell(renamed)?.id).toEqual(user(9, '').id)
  })

  it('is removed in turn where one detour leads to the next', async () => {
    const r = rig()
    const last = await r.inbound('last')
    const middle = await r.inbound('middle', { detourTo: 'last' })
    const front = await r.inbound('front', { users: [alice], detourTo: 'middle' })
    const guest = middle.users.get(front.tell(alice)!.id)!
    middle.tell(guest)
    expect(last.users.size).toBe(1)
    r.users.remove(front.running, alice)
    expect(middle.users.size + last.users.size).toBe(0)
    expect(r.accounts.size).toBe(0)
  })

  it('is never more than one for each front user, however many requests there are', async () => {
    const r = rig()
    const people = Array.from({ length: 50 }, (_, n) => user(n + 1, n % 2 ? `user${n}@home.lan` : ''))
    const moving = await r.inbound('moving')
    const front = await r.inbound('front', { users: people, detourTo: 'moving' })
    for (let i = 0; i < 20; i++) for (const person of people) front.tell(person)
    expect(moving.users.size).toBe(50)
    for (const person of people) r.users.remove(front.running, person)
    expect(moving.users.size).toBe(0)
  })
})

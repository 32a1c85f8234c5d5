/** The API over real HTTP on loopback, in front of a control whose answers a test decides. */
import { createHttpApi } from '../../src/api/http/server.ts'
import type { Control, ControlEvent, LimitsView, NewUser, SessionView, UserView } from '../../src/control/control.ts'
import { pageOf } from '../../src/control/page.ts'
import { type Logger, silentLogger } from '../../src/core/env.ts'
import { ProxyError } from '../../src/core/errors.ts'
import type { Session } from '../../src/core/session.ts'
import type { UserLimits } from '../../src/core/user-limits.ts'
import { readNewUser, readUserChange } from '../../src/schema/parts/user-request.ts'
import { Counters } from '../../src/stats/counters.ts'
import { type FakeClock, fakeClock } from '../../src/testing/fakes.ts'

export const token = 'correct horse battery staple'.replaceAll(' ', '-')
export const startMs = Date.UTC(2026, 2, 1, 12)

export const noLimits: LimitsView = {
  enabled: true,
  uplink: 0,
  downlink: 0,
  connections: 0,
  addresses: 0,
  addressGrace: 60,
  quota: 0,
  expires: null,
  expiresAfter: 0,
}

/** What a request's limits come to, over others. */
const over = (
  base: LimitsView,
  { addressGraceS, expiresAt, expiresAfterMs, ...same }: Partial<UserLimits> = {},
): LimitsView => ({
  ...base,
  ...same,
  ...(addressGraceS !== undefined && { addressGrace: addressGraceS }),
  ...(expiresAt !== undefined && { expires: expiresAt === 0 ? null : new Date(expiresAt).toISOString() }),
  ...(expiresAfterMs !== undefined && { expiresAfter: expiresAfterMs / 1000 }),
})

export const userView = (email: string, change: Partial<UserView> = {}): UserView => ({
  email,
  inbounds: [{ tag: 'in', id: 'b831381d…', level: 0, alterId: 0 }],
  limits: noLimits,
  used: { uplink: 10, downlink: 20 },
  firstUse: null,
  connections: 0,
  addresses: [],
  ...change,
})

export const sessionView = (id: number, change: Partial<SessionView> = {}): SessionView => ({
  id,
  inbound: 'in',
  outbound: 'direct',
  rule: '',
  email: 'love@example.com',
  source: '203.0.113.7:51234',
  target: 'example.com:443',
  network: 'tcp',
  startedAt: startMs,
  totals: { uplink: 0, downlink: 0 },
  ...change,
})

export const session = (id: number, email = 'love@example.com'): Session => ({
  id,
  inboundTag: 'in',
  source: '203.0.113.7:51234',
  network: 'tcp',
  target: { host: 'example.com', port: 443 },
  user: { email, level: 0 },
  startedAt: startMs,
  outboundTag: 'direct',
})

export interface FakeControl extends Control {
  /** What counters() shows. */
  readonly counted: Counters
  readonly people: Map<string, UserView>
  readonly live: Map<number, SessionView>
  readonly calls: unknown[][]
  readonly watchers: Set<(event: ControlEvent) => void>
  tell(event: ControlEvent): void
  /** Parts of it that a test replaces. */
  ready: boolean
  reload: Control['reload']
}

const noTime = fakeClock(0)

export function fakeControl(): FakeControl {
  const people = new Map<string, UserView>([['love@example.com', userView('love@example.com')]])
  const live = new Map<number, SessionView>()
  const counted = new Counters()
  const calls: unknown[][] = []
  const watchers = new Set<(event: ControlEvent) => void>()
  const none = (email: string) => new ProxyError('CONTROL_NOT_FOUND', `there is no user "${email}"`)
  const must = (email: string): UserView => {
    const user = people.get(email)
    if (!user) throw none(email)
    return user
  }
  return {
    people,
    live,
    calls,
    watchers,
    ready: true,
    tell: (event) => {
      for (const watcher of watchers) watcher(event)
    },
    counted,
    counters: async () => Array.from(counted, ([name, { value }]) => ({ name, value })),
    counterPage: async ({ containing = '', ...query } = {}) =>
      pageOf(
        noTime,
        [...counted].flatMap(([name, { value }]) =>
          name.includes(containing) ? [[name, { name, value }] as const] : [],
        ),
        query,
      ),
    readCounters: async (names) =>
      names.flatMap((name) => {
        const counter = counted.get(name)
        return counter ? { name, value: counter.value } : []
      }),
    handshakes: async () => [
      { inboundTag: 'in', outcome: 'accepted', reason: '', count: 5 },
      { inboundTag: 'in', outcome: 'refused', reason: 'VMESS_UNKNOWN_USER', count: 2 },
    ],
    endings: async () => [{ inboundTag: 'in', reason: 'USER_QUOTA', count: 1 }],
    async status() {
      return {
        version: '0.1.0',
        startedAt: startMs,
        uptimeS: 60,
        connections: 3,
        sessions: live.size,
        users: people.size,
        ready: this.ready,
      }
    },
    users: async () => [...people.values()],
    userPage: async (query = {}) => pageOf(noTime, people, query),
    user: async (email) => people.get(email),
    async addUser(inbound: string, user: NewUser) {
      const { limits } = readNewUser(user, startMs)
      calls.push(['addUser', inbound, user])
      if (inbound !== 'in') throw new ProxyError('CONTROL_NOT_FOUND', `there is no inbound with the tag "${inbound}"`)
      if (people.has(user.email)) throw new ProxyError('CONTROL_CONFLICT', `there is a user "${user.email}" already`)
      if (user.id?.length === 31) throw new ProxyError('USER_INVALID_ID', 'neither a UUID nor a custom id')
      const view = userView(user.email, { limits: over(noLimits, limits) })
      people.set(user.email, view)
      return { user: view, id: 'b831381d-6324-4d53-ad4f-8cda48b30811' }
    },
    async changeUser(email, change) {
      const { limits } = readUserChange(change, startMs)
      calls.push(['changeUser', email, change])
      const user = must(email)
      const changed = { ...user, limits: over(user.limits, limits) }
      people.set(email, changed)
      return changed
    },
    async removeUser(email, inbound) {
      calls.push(['removeUser', email, inbound])
      must(email)
      people.delete(email)
      return 2
    },
    async resetUsage(email) {
      const changed = { ...must(email), used: { uplink: 0, downlink: 0 } }
      people.set(email, changed)
      return changed
    },
    usage: async (emails) => emails.map((email) => people.get(email)?.used ?? { uplink: 0, downlink: 0 }),
    sessions: async () => [...live.values()].map((view) => ({ ...view, totals: { ...view.totals } })),
    sessionPage: async ({ email, inbound, ...query } = {}) => {
      const isWanted = (view: SessionView) =>
        (email === undefined || view.email.toLowerCase() === email.toLowerCase()) &&
        (inbound === undefined || view.inbound === inbound)
      return pageOf(
        noTime,
        [...live].filter(([, view]) => isWanted(view)),
        query,
      )
    },
    async endSession(id) {
      if (!live.delete(id)) throw new ProxyError('CONTROL_NOT_FOUND', `there is no session ${id}, or no more`)
    },
    async endSessions(email) {
      must(email)
      calls.push(['endSessions', email])
      return 3
    },
    inbounds: async () => [{ tag: 'in', protocol: 'vmess', listening: ['127.0.0.1:10086'], connections: 3, users: 1 }],
    addInbound: () => Promise.resolve(),
    async removeInbound() {},
    outbounds: async () => [{ tag: 'direct', protocol: 'freedom' }],
    async addOutbound() {},
    async removeOutbound() {},
    reload: () =>
      Promise.resolve({
        inbounds: { added: ['new'], changed: [], removed: [] },
        outbounds: { added: [], changed: [], removed: [] },
        users: { added: 1, changed: 0, removed: 0 },
        routing: false,
        restart: [],
        warnings: [],
      }),
    async restartLog() {},
    rules: async () => [],
    async addRules() {},
    removeRules: async () => 0,
    balancer: async () => undefined,
    async overrideBalancer() {},
    testRoute: async () => undefined,
    observations: async () => undefined,
    async watch(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
  }
}

export interface TestApi {
  readonly control: FakeControl
  readonly clock: FakeClock
  readonly url: string
  close(): Promise<void>
  /** With the token. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; json: Json }>
}

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field
export type Json = any

export async function startApi(log: Logger = silentLogger): Promise<TestApi> {
  const control = fakeControl()
  const clock = fakeClock(startMs)
  const listening = await (await createHttpApi({ control, token, clock, log })).listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${listening.address.port}`
  return {
    control,
    clock,
    url,
    close: () => listening.close(),
    async call(method, path, body) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const isJson = answer.headers.get('content-type')?.includes('json')
      return { status: answer.status, headers: answer.headers, json: isJson ? JSON.parse(text) : text }
    },
  }
}

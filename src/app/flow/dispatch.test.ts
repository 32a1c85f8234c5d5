import { describe, expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import type { Conn } from '../../core/conn.ts'
import type { Outbound } from '../../core/dialer.ts'
import { silentLogger } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session, Totals } from '../../core/session.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { defaultPolicy, defaultSystemPolicy, type PolicyLevel } from '../../settings/model.ts'
import { Counters } from '../../stats/counters.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createDispatch } from './dispatch.ts'
import { countingIds, Flows } from './flows.ts'
import { LoopGuard } from './loop-guard.ts'
import { Observers } from './observers.ts'

const target = { host: 'example.com', port: 80 }

function rig(options: { outbound?: Partial<Outbound>; levels?: [number, Partial<PolicyLevel>][] } = {}) {
  const clock = fakeClock(1_700_000_000_000)
  const [near] = memoryPair()
  const [far] = memoryPair()
  const seen: string[] = []
  const ended: { totals: Totals; reason: ProxyError | undefined }[] = []
  const observer = new Observers(
    [
      {
        opened: () => void seen.push('opened'),
        routed: (_session, tag) => void seen.push(`routed ${tag}`),
        failed: (_session, error) => void seen.push(`failed ${error.code}`),
        closed: (_session: Session, totals, reason) => void ended.push({ totals: { ...totals }, reason }),
      },
    ],
    silentLogger,
  )
  const outbound: Outbound = { tag: 'out', dial: async () => far, close: async () => {}, ...options.outbound }
  const levels = new Map((options.levels ?? []).map(([level, given]) => [level, { ...defaultPolicy, ...given }]))
  const env = { clock, random: fakeRandom(1), log: silentLogger }
  const deps = {
    env,
    policy: () => ({ levels, system: defaultSystemPolicy }),
    route: () => outbound,
    flows: new Flows({ clock, accounts: new Accounts(clock), nextId: countingIds() }),
    counters: new Counters(),
    observer,
    loops: new LoopGuard(),
    handshakes: new Set<Conn>(),
  }
  return {
    clock,
    near,
    far,
    seen,
    ended,
    flows: deps.flows,
    handshakes: deps.handshakes,
    io: createDispatch({ tag: 'in', at: 'inbounds[0]' }, deps),
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** Seconds after which an idle flow of a user at `level` is cut. */
async function idleLimitOf(r: ReturnType<typeof rig>, level: number): Promise<number> {
  const done = r.io.carry(r.near, { network: 'tcp', target, user: { email: '', level } })
  await settle()
  let seconds = 0
  while (r.ended.length === 0 && seconds < 1000) {
    r.clock.advance(1000)
    seconds++
    await settle()
  }
  await done
  expect(r.ended[0]?.reason?.code).toBe('IDLE_TIMEOUT')
  return seconds
}

describe('dispatch', () => {
  it('takes the first outbound and tells the observers', async () => {
    const { io, near, far, seen } = rig()
    const greeted: unknown[] = []
    void io.carry(near, { network: 'tcp', target }, (outcome) => void greeted.push(outcome))
    await settle()
    expect(greeted).toEqual([far])
    expect(seen).toEqual(['opened', 'routed out'])
  })

  it('gives a dial 16 seconds, and its reason when they are over', async () => {
    const never = (_to: unknown, { until }: { until: Lifetime }) =>
      new Promise<Conn>((_resolve, reject) => until.onGone(reject))
    const { io, near, clock, seen } = rig({ outbound: { dial: never } })
    const failure = io.carry(near, { network: 'tcp', target }).then((ended) => ended?.code)
    clock.advance(15_999)
    await settle()
    expect(seen).not.toContain('failed DIAL_TIMEOUT')
    clock.advance(1)
    expect(await failure).toBe('DIAL_TIMEOUT')
    expect(seen).toContain('failed DIAL_TIMEOUT')
  })

  it('drops a connection that was made for a client who has gone', async () => {
    let made: (conn: Conn) => void = () => {}
    const slow = () => new Promise<Conn>((resolve) => (made = resolve))
    const { io, near, far } = rig({ outbound: { dial: slow } })
    const failure = io.carry(near, { network: 'tcp', target }).then((ended) => ended?.code)
    near.destroy()
    made(far)
    expect(await failure).toBe('DIAL_ABORTED')
    expect(far.gone).toBeDefined()
  })

  it('lets a stop cut those who wait for their target first: they carry nothing yet', async () => {
    let made: (conn: Conn) => void = () => {}
    const slow = () => new Promise<Conn>((resolve) => (made = resolve))
    const { io, near, far, handshakes } = rig({ outbound: { dial: slow } })
    void io.carry(near, { network: 'tcp', target })
    await settle()
    expect([...handshakes]).toEqual([near])
    made(far)
    await settle()
    expect([...handshakes]).toEqual([])
  })

  it('strikes a flow off also when it ended by a mistake of ours', async () => {
    const { io, near, far, flows } = rig()
    far.drainTo = async () => {
      throw new TypeError('a mistake')
    }
    await expect(io.carry(near, { network: 'tcp', target })).rejects.toThrow('a mistake')
    expect(flows.size).toBe(0)
  })

  it('cuts idle flows by the level of the user', async () => {
    expect(await idleLimitOf(rig(), 0)).toBe(300)
    expect(await idleLimitOf(rig({ levels: [[1, { connIdle: 60 }]] }), 1)).toBe(60)
    expect(await idleLimitOf(rig({ levels: [[1, { connIdle: 60 }]] }), 0)).toBe(300)
  })

  it('lets the level of the outbound’s account decide as well', async () => {
    const levels: [number, Partial<PolicyLevel>][] = [[7, { connIdle: 20 }]]
    expect(await idleLimitOf(rig({ levels, outbound: { level: 7 } }), 0)).toBe(20)
  })

  it('gives a handshake the time of its level', async () => {
    const { io, near, clock } = rig({ levels: [[3, { handshake: 5 }]] })
    const step = () => near.read()
    const failure = io.handshake(near, step, 3).catch((error: ProxyError) => error.code)
    clock.advance(5000)
    expect(await failure).toBe('HANDSHAKE_TIMEOUT')
  })
})

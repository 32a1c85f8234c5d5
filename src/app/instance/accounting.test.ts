import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { StoredUser, UsageStore } from '../../store/store.ts'
import { type FakeClock, fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { openAccounting } from './accounting.ts'

/** A store that outlives the instances that write to it, and fails on demand. */
class FakeStore implements UsageStore {
  readonly users = new Map<string, StoredUser>()
  readonly writes: string[][] = []
  syncs = 0
  open = false
  broken = false

  load(): StoredUser[] {
    return [...this.users.values()]
  }

  write(users: readonly StoredUser[]): void {
    expect(this.open).toBe(true)
    if (this.broken) throw new ProxyError('STORE_FAILED', 'the disk is full')
    this.writes.push(users.map(({ email }) => email))
    for (const user of users) this.users.set(user.email, user)
  }

  async sync(): Promise<void> {
    this.syncs++
  }

  close(): void {
    this.open = false
  }

  of(email: string) {
    const { uplink = 0, downlink = 0 } = this.users.get(email) ?? {}
    return [uplink, downlink]
  }
}

interface Rig {
  readonly clock: FakeClock
  readonly accounts: Accounts
  readonly logged: string[]
  readonly close: () => Promise<void>
}

/** An instance with these users from its start, on `store`. */
async function start(store: FakeStore, users: Record<string, UserLimits | undefined> = {}): Promise<Rig> {
  const clock = fakeClock(1_700_000_000_000)
  const logged: string[] = []
  const log = {
    ...silentLogger,
    info: (_fields: object, message: string) => void logged.push(`info ${message}`),
    error: (_fields: object, message: string) => void logged.push(`error ${message}`),
  }
  const accounts = new Accounts(clock)
  for (const [email, limits] of Object.entries(users)) accounts.open(email, limits)
  const accounting = await openAccounting(
    { path: 'usage.db', flushS: 10 },
    {
      accounts,
      env: { clock, random: fakeRandom(1), log },
      open: async () => {
        expect(store.open, 'closed before').toBe(false)
        store.open = true
        return store
      },
    },
  )
  return { clock, accounts, logged, close: () => accounting.close() }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const limited: UserLimits = { ...unlimited, quota: 1000 }
const disabled: UserLimits = { ...limited, enabled: false }
const member = { host: '192.0.2.7', totals: { uplink: 0, downlink: 0 }, end: () => {} }

describe('traffic', () => {
  it('goes on from where it was', async () => {
    const store = new FakeStore()
    const first = await start(store, { 'Ann@example.org': undefined, bob: undefined })
    first.accounts.get('ann@example.org')!.spend('uplink', 100)
    first.accounts.get('bob')!.spend('downlink', 7)
    await first.close()
    const second = await start(store, { 'ann@EXAMPLE.org': undefined, bob: undefined })
    second.accounts.get('ann@example.org')!.spend('uplink', 11)
    expect(second.accounts.get('ann@example.org')!.used).toEqual({ uplink: 111, downlink: 0 })
    expect(second.accounts.get('bob')!.used).toEqual({ uplink: 0, downlink: 7 })
  })

  it('counts against the quota after a restart', async () => {
    const store = new FakeStore()
    const first = await start(store, { ann: limited })
    first.accounts.get('ann')!.spend('uplink', 600)
    await first.close()
    const second = await start(store, { ann: limited })
    second.accounts.get('ann')!.admit(member)
    second.accounts.get('ann')!.spend('downlink', 400)
    expect(() => second.accounts.get('ann')!.admit(member)).toThrowError(
      expect.objectContaining({ code: 'USER_QUOTA' }),
    )
  })

  it('is written every period, and only of users that have changed', async () => {
    const store = new FakeStore()
    const { clock, accounts } = await start(store, { ann: undefined, bob: undefined, eve: undefined })
    clock.advance(30_000)
    expect(store.writes).toEqual([])
    accounts.get('ann')!.spend('uplink', 1)
    clock.advance(9_999)
    expect(store.writes).toEqual([])
    clock.advance(1)
    expect(store.writes).toEqual([['ann']])
    await turn()
    accounts.get('bob')!.spend('uplink', 1)
    accounts.get('eve')!.spend('downlink', 1)
    clock.advance(60_000)
    expect(store.writes).toEqual([['ann'], ['bob', 'eve']])
    expect(store.syncs).toBe(2)
  })

  it('of many users is written in parts, between which others have their turn', async () => {
    const store = new FakeStore()
    const users = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`user${i}`, undefined]))
    const { clock, accounts } = await start(store, users)
    for (const account of accounts) account.spend('uplink', 5)
    clock.advance(10_000)
    expect(store.writes.map((part) => part.length)).toEqual([500, 500, 200])
    expect(new Set(store.writes.flat()).size).toBe(1200)
    clock.advance(20_000)
    expect(store.writes).toHaveLength(3)
  })

  it('of a part that waits is written as it then is', async () => {
    const store = new FakeStore()
    const users = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`user${i}`, undefined]))
    const { clock, accounts } = await start(store, users)
    for (const account of accounts) account.spend('uplink', 5)
    const last = accounts.get('user500')!
    const write = store.write.bind(store)
    store.write = (part) => {
      write(part)
      if (part.length !== 500) return
      // Between the two parts the last user goes, and comes back with nothing used.
      accounts.close('user500')
      accounts.open('user500')
      accounts.get('user500')!.resetUsage()
    }
    clock.advance(10_000)
    expect(last.used.uplink).toBe(5)
    expect(store.of('user500')).toEqual([0, 0])
  })

  it('is written when the instance stops', async () => {
    const store = new FakeStore()
    const { accounts, clock, close } = await start(store, { ann: undefined })
    accounts.get('ann')!.spend('uplink', 3)
    await Promise.all([close(), close()])
    expect(store.of('ann')).toEqual([3, 0])
    expect(store.open).toBe(false)
    expect(clock.pending).toBe(0)
    accounts.get('ann')!.change(disabled)
    expect(store.writes).toHaveLength(1)
  })

  it('of a user who is gone stays, what the last connections passed included, and is there when the user is back', async () => {
    const store = new FakeStore()
    const { accounts, clock } = await start(store)
    accounts.open('ann', limited)
    const ann = accounts.get('ann')!
    ann.admit(member)
    ann.spend('uplink', 3)
    accounts.close('ann')
    ann.spend('uplink', 4)
    clock.advance(10_000)
    expect(store.of('ann')).toEqual([7, 0])
    ann.spend('downlink', 5)
    ann.leave(member)
    clock.advance(10_000)
    expect(store.of('ann')).toEqual([7, 5])
    clock.advance(60_000)
    accounts.open('Ann', limited)
    expect(accounts.get('ann')!.used).toEqual({ uplink: 7, downlink: 5 })
  })

  it('of a user who is gone for a moment only is not lost', async () => {
    const { accounts } = await start(new FakeStore(), { ann: undefined })
    accounts.get('ann')!.spend('uplink', 3)
    accounts.close('ann')
    accounts.open('ann')
    expect(accounts.get('ann')!.used.uplink).toBe(3)
  })

  it('that an operator set to zero is zero after a crash', async () => {
    const store = new FakeStore()
    const { accounts, clock } = await start(store, { ann: limited })
    accounts.get('ann')!.spend('uplink', 3)
    clock.advance(10_000)
    await turn()
    accounts.get('ann')!.resetUsage()
    expect(store.of('ann')).toEqual([0, 0])
    clock.advance(10_000)
    expect(store.syncs).toBe(2)
  })
})

describe('the first use', () => {
  const month: UserLimits = { ...unlimited, expiresAfterMs: 30 * 86_400_000 }
  const startMs = 1_700_000_000_000

  it('is kept over a restart, and goes with the limit', async () => {
    const store = new FakeStore()
    const first = await start(store, { ann: month, bob: month })
    first.clock.advance(1000)
    first.accounts.get('ann')!.admit(member)
    first.clock.advance(10_000)
    expect([...store.users.values()]).toEqual([{ email: 'ann', uplink: 0, downlink: 0, firstUse: startMs + 1000 }])
    store.open = false
    const second = await start(store, { ann: { ...month }, bob: { ...month } })
    second.clock.advance(30 * 86_400_000 + 999)
    second.accounts.get('ann')!.admit(member)
    second.clock.advance(1)
    expect(() => second.accounts.get('ann')!.admit(member)).toThrowError(
      expect.objectContaining({ code: 'USER_EXPIRED', message: expect.stringContaining('2023-12-14') }),
    )
    second.accounts.get('bob')!.admit(member)
    second.accounts.get('ann')!.change(unlimited)
    await second.close()
    expect(store.users.get('ann')!.firstUse).toBeUndefined()
    expect(store.users.get('bob')!.firstUse).toBe(second.clock.now())
  })

  it('stays when a change of the limit cannot be stored', async () => {
    const store = new FakeStore()
    const { accounts } = await start(store, { ann: month })
    accounts.get('ann')!.admit(member)
    store.broken = true
    expect(() => accounts.get('ann')!.change(unlimited)).toThrow('could not be stored')
    expect(accounts.get('ann')!.firstUse).toBe(startMs)
  })
})

describe('limits that an operator changed', () => {
  it('hold after a crash', async () => {
    const store = new FakeStore()
    const first = await start(store, { ann: limited })
    first.accounts.get('ann')!.change(disabled)
    store.open = false
    const second = await start(store, { ann: { ...limited } })
    expect(second.accounts.get('ann')).toMatchObject({ limits: disabled, configured: limited })
    expect(() => second.accounts.get('ann')!.admit(member)).toThrowError(
      expect.objectContaining({ code: 'USER_DISABLED' }),
    )
    expect(second.logged).toEqual([])
  })

  it('hold for a user without limits in the configuration', async () => {
    const store = new FakeStore()
    const first = await start(store, { ann: undefined })
    first.accounts.get('ann')!.change(disabled)
    await first.close()
    expect((await start(store, { ann: undefined })).accounts.get('ann')!.limits).toEqual(disabled)
  })

  it('give way to a configuration that changed since, and are forgotten', async () => {
    const store = new FakeStore()
    const first = await start(store, { ann: limited })
    first.accounts.get('ann')!.change(disabled)
    await first.close()
    const changed = { ...limited, quota: 2000 }
    const second = await start(store, { ann: changed })
    expect(second.accounts.get('ann')!.limits).toEqual(changed)
    expect(second.logged).toEqual([expect.stringMatching(/^info the configuration of the user’s limits has changed/)])
    second.clock.advance(10_000)
    await second.close()
    const third = await start(store, { ann: limited })
    expect(third.accounts.get('ann')!.limits).toEqual(limited)
    expect(third.logged).toEqual([])
  })

  it('hold when the configuration is read again as it was, and give way when it was changed', async () => {
    const { accounts } = await start(new FakeStore(), { ann: limited })
    accounts.get('ann')!.change(disabled)
    accounts.open('ann', { ...limited })
    accounts.close('ann')
    expect(accounts.get('ann')!.limits).toEqual(disabled)
    accounts.open('ann', { ...limited, quota: 5 })
    expect(accounts.get('ann')!.limits).toEqual({ ...limited, quota: 5 })
  })

  it('are forgotten when they are changed back', async () => {
    const store = new FakeStore()
    const { accounts } = await start(store, { ann: limited })
    accounts.get('ann')!.change(disabled)
    expect(store.users.get('ann')).toMatchObject({ override: { configured: limited, limits: disabled } })
    accounts.get('ann')!.change({ ...limited })
    expect(store.users.get('ann')).toEqual({ email: 'ann', uplink: 0, downlink: 0 })
  })

  it('of a user of two inbounds are measured by what holds once all are open', async () => {
    const store = new FakeStore()
    const both = async () => {
      const rig = new Accounts(fakeClock(0))
      rig.open('ann', limited)
      rig.open('ann', { ...limited, quota: 7 })
      return rig
    }
    const run = async () => {
      const accounts = await both()
      const env = { clock: fakeClock(0), random: fakeRandom(1), log: silentLogger }
      const accounting = await openAccounting({ path: '', flushS: 1 }, { accounts, env, open: async () => store })
      return { accounts, accounting }
    }
    store.open = true
    const first = await run()
    first.accounts.get('ann')!.change(disabled)
    expect((await run()).accounts.get('ann')!.limits).toEqual(disabled)
  })
})

describe('a store that fails', () => {
  it('is tried again every period, is in the log once a minute, and catches up', async () => {
    const store = new FakeStore()
    const { accounts, clock, logged } = await start(store, { ann: undefined })
    store.broken = true
    accounts.get('ann')!.spend('uplink', 5)
    for (let s = 0; s < 120; s += 10) clock.advance(10_000)
    expect(logged).toEqual(Array(2).fill('error used traffic could not be written; it is tried again'))
    store.broken = false
    accounts.get('ann')!.spend('uplink', 5)
    clock.advance(10_000)
    expect(store.users.get('ann')).toMatchObject({ uplink: 10 })
    expect(logged.at(-1)).toBe('info used traffic is written to the store again')
  })

  it('refuses what an operator changes, and then nothing has changed', async () => {
    const store = new FakeStore()
    const { accounts } = await start(store, { ann: limited })
    const ann = accounts.get('ann')!
    ann.spend('uplink', 5)
    store.broken = true
    const refused = expect.objectContaining({ code: 'STORE_FAILED' })
    expect(() => ann.change(disabled)).toThrow(refused)
    expect(() => ann.resetUsage()).toThrow(refused)
    expect([ann.limits, ann.used]).toEqual([limited, { uplink: 5, downlink: 0 }])
    expect(() => ann.admit(member)).not.toThrow()
    store.broken = false
    ann.change(disabled)
    ann.resetUsage()
    expect(store.users.get('ann')).toMatchObject({ uplink: 0, override: { limits: disabled } })
  })

  it('to the end is in the log, and the instance stops all the same', async () => {
    const store = new FakeStore()
    const { accounts, close, logged } = await start(store, { ann: undefined })
    store.broken = true
    accounts.get('ann')!.spend('uplink', 5)
    await close()
    expect(logged.at(-1)).toMatch(/^error .* is lost$/)
    expect(store.open).toBe(false)
  })

  it('at the start is closed again', async () => {
    const store = new FakeStore()
    store.load = () => {
      throw new ProxyError('STORE_FAILED', 'the file is damaged')
    }
    await expect(start(store)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(store.open).toBe(false)
  })
})

/** What the store must have at any moment, by a model of a few lines. */
it('whatever happens, the store has what was counted when it was written last, and never more', async () => {
  const emails = ['ann', 'bob', 'eve']
  const email = fc.constantFrom(...emails)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('spend' as const), email, bytes: fc.nat(1_000_000) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(15_000) }) },
    fc.record({ do: fc.constant('reset' as const), email }),
    fc.record({ do: fc.constant('toggle' as const), email }),
    fc.record({ do: fc.constant('remove' as const), email }),
    fc.record({ do: fc.constant('add' as const), email }),
    fc.record({ do: fc.constantFrom('crash' as const, 'restart' as const, 'break' as const, 'repair' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const store = new FakeStore()
      let rig = await start(store, Object.fromEntries(emails.map((it) => [it, limited])))
      let started = rig.clock.now()
      let present = new Set(emails)
      const counted = new Map(emails.map((it) => [it, { bytes: 0, enabled: true }]))
      const saved = new Map(counted)
      // What cannot be stored is refused.
      const refused = (change: () => void): boolean => {
        if (store.broken) expect(change).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
        else change()
        return store.broken
      }
      const save = (one: string) => store.broken || saved.set(one, counted.get(one)!)
      for (const it of steps) {
        if (it.do === 'spend' && present.has(it.email)) {
          rig.accounts.get(it.email)!.spend('uplink', it.bytes)
          const { bytes, enabled } = counted.get(it.email)!
          counted.set(it.email, { bytes: bytes + it.bytes, enabled })
        } else if (it.do === 'wait') {
          const before = rig.clock.now()
          rig.clock.advance(it.ms)
          const periods = (now: number) => Math.floor((now - started) / 10_000)
          if (periods(rig.clock.now()) > periods(before)) for (const one of emails) save(one)
        } else if (it.do === 'reset' && present.has(it.email)) {
          if (refused(() => rig.accounts.get(it.email)!.resetUsage())) continue
          counted.set(it.email, { ...counted.get(it.email)!, bytes: 0 })
          save(it.email)
        } else if (it.do === 'toggle' && present.has(it.email)) {
          const enabled = !counted.get(it.email)!.enabled
          if (refused(() => rig.accounts.get(it.email)!.change({ ...limited, enabled }))) continue
          counted.set(it.email, { ...counted.get(it.email)!, enabled })
          save(it.email)
        } else if (it.do === 'remove' && present.delete(it.email)) {
          rig.accounts.close(it.email)
        } else if (it.do === 'add' && !present.has(it.email)) {
          rig.accounts.open(it.email, { ...limited })
          present.add(it.email)
        } else if (it.do === 'break' || it.do === 'repair') {
          store.broken = it.do === 'break'
        } else if (it.do === 'crash' || it.do === 'restart') {
          if (it.do === 'restart') {
            await rig.close()
            for (const one of emails) save(one)
          }
          store.open = false
          rig = await start(store, Object.fromEntries(emails.map((one) => [one, { ...limited }])))
          started = rig.clock.now()
          present = new Set(emails)
          for (const one of emails) counted.set(one, saved.get(one)!)
        }
        for (const one of emails) {
          const kept = store.users.get(one)
          expect({ bytes: kept?.uplink ?? 0, enabled: kept?.override?.limits.enabled ?? true }).toEqual(saved.get(one))
          if (!present.has(one)) continue
          const { used, limits } = rig.accounts.get(one)!
          expect({ bytes: used.uplink, enabled: limits.enabled }).toEqual(counted.get(one))
        }
      }
    }),
    { numRuns: 300 },
  )
})

import { describe, expect, it } from 'vitest'
import type { ProxyError } from '../core/errors.ts'
import { forever } from '../core/lifetime.ts'
import { type UserLimits, unlimited } from '../core/user-limits.ts'
import { fakeClock } from '../testing/fakes.ts'
import { Account } from './account.ts'

function rig(given: Partial<UserLimits> = {}) {
  const clock = fakeClock(1_700_000_000_000)
  const account = new Account('a@b', { ...unlimited, ...given }, clock)
  const connect = (host = '10.0.0.1') => {
    const member = {
      host,
      totals: { uplink: 0, downlink: 0 },
      ended: [] as string[],
      end: (reason: ProxyError) => void member.ended.push(reason.code),
    }
    account.admit(member)
    return member
  }
  const refusal = (host?: string): string | undefined => {
    try {
      connect(host)
      return undefined
    } catch (error) {
      return (error as ProxyError).code
    }
  }
  const change = (limits: Partial<UserLimits>) => account.change({ ...account.limits, ...limits })
  return { clock, account, connect, refusal, change }
}

describe('Account', () => {
  it('lets in as many connections as permitted, and more when one has left', () => {
    const { account, connect, refusal } = rig({ connections: 2 })
    const one = connect()
    connect()
    expect(refusal()).toBe('USER_CONNECTIONS')
    account.leave(one)
    expect(refusal()).toBeUndefined()
  })

  it.each([
    [1, 'the user has one connection, as many as permitted'],
    [2, 'the user has 2 connections, as many as permitted'],
  ])('says how many connections there are: %i', (connections, message) => {
    const { connect } = rig({ connections })
    for (let i = 0; i < connections; i++) connect()
    expect(() => connect()).toThrow(message)
  })

  it('ends no connection when fewer are permitted from now on', () => {
    const { connect, refusal, change } = rig()
    const all = [connect(), connect()]
    change({ connections: 1 })
    expect(all.flatMap(({ ended }) => ended)).toEqual([])
    expect(refusal()).toBe('USER_CONNECTIONS')
  })

  it('does not keep a place for who was refused for another reason', () => {
    const { account, connect, refusal } = rig({ connections: 2, addresses: 1, addressGraceS: 0 })
    connect()
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    expect(account.members.size).toBe(1)
    expect(refusal()).toBeUndefined()
  })

  it('ends every connection at once when it is disabled', () => {
    const { connect, refusal, change } = rig()
    const all = [connect(), connect()]
    change({ enabled: false })
    expect(all.map(({ ended }) => ended)).toEqual([['USER_DISABLED'], ['USER_DISABLED']])
    expect(refusal()).toBe('USER_DISABLED')
  })

  it('ends every connection with the byte that exceeds the quota', () => {
    const { account, connect, refusal } = rig({ quota: 1000 })
    const all = [connect(), connect()]
    account.spend('uplink', 400)
    account.spend('downlink', 600)
    expect(all.flatMap(({ ended }) => ended)).toEqual([])
    account.spend('downlink', 1)
    expect(all.map(({ ended }) => ended)).toEqual([['USER_QUOTA'], ['USER_QUOTA']])
    expect(refusal()).toBe('USER_QUOTA')
    account.resetUsage()
    expect(refusal()).toBeUndefined()
  })

  it('ends connections when the quota is lowered below what is used', () => {
    const { account, connect, change } = rig()
    const it = connect()
    account.spend('uplink', 5000)
    change({ quota: 5000 })
    expect(it.ended).toEqual(['USER_QUOTA'])
  })

  it('ends connections in progress when it expires, by one timer', () => {
    const { clock, connect, refusal } = rig({ expiresAt: 1_700_000_060_000 })
    expect(clock.pending).toBe(0)
    const all = [connect(), connect()]
    expect(clock.pending).toBe(1)
    clock.advance(59_999)
    expect(all.flatMap(({ ended }) => ended)).toEqual([])
    clock.advance(1)
    expect(all.map(({ ended }) => ended)).toEqual([['USER_EXPIRED'], ['USER_EXPIRED']])
    expect(refusal()).toBe('USER_EXPIRED')
    expect(clock.pending).toBe(0)
  })

  it('has no timer without connections, and the right one after a change', () => {
    const { clock, account, connect, change } = rig({ expiresAt: 1_700_000_060_000 })
    const one = connect()
    account.leave(one)
    expect(clock.pending).toBe(0)
    const two = connect()
    change({ expiresAt: 1_700_000_120_000 })
    clock.advance(60_000)
    expect(two.ended).toEqual([])
    clock.advance(60_000)
    expect(two.ended).toEqual(['USER_EXPIRED'])
    const { connect: enter, change: alter } = rig()
    const three = enter()
    alter({ expiresAt: 1_699_999_999_999 })
    expect(three.ended).toEqual(['USER_EXPIRED'])
  })

  it('expires so long after its first connection, not after its entry, and ends what is in progress', () => {
    const { clock, account, connect, refusal } = rig({ expiresAfterMs: 60_000 })
    clock.advance(3_600_000)
    expect(account.firstUse).toBe(0)
    const first = connect()
    account.leave(first)
    clock.advance(59_999)
    const second = connect()
    expect(account.firstUse).toBe(clock.now() - 59_999)
    clock.advance(1)
    expect(second.ended).toEqual(['USER_EXPIRED'])
    expect(refusal()).toBe('USER_EXPIRED')
  })

  it('counts from the first use again when the limit was taken away, and not when it was made longer', () => {
    const { clock, account, connect, refusal, change } = rig({ expiresAfterMs: 60_000 })
    const first = connect()
    clock.advance(60_000)
    expect(first.ended).toEqual(['USER_EXPIRED'])
    account.leave(first)
    change({ expiresAfterMs: 90_000 })
    account.leave(connect())
    clock.advance(30_000)
    expect(refusal()).toBe('USER_EXPIRED')
    change({ expiresAfterMs: 0 })
    const present = connect()
    change({ expiresAfterMs: 60_000 })
    expect(account.firstUse).toBe(clock.now())
    clock.advance(59_999)
    expect(present.ended).toEqual([])
    clock.advance(1)
    expect(present.ended).toEqual(['USER_EXPIRED'])
  })

  it('goes by the earlier of a date and a time from its first use; a refused connection is no use', () => {
    const { clock, account, refusal, change } = rig({
      expiresAt: 1_700_000_010_000,
      expiresAfterMs: 60_000,
      enabled: false,
    })
    expect(refusal()).toBe('USER_DISABLED')
    expect(account.firstUse).toBe(0)
    change({ enabled: true })
    expect(refusal()).toBeUndefined()
    clock.advance(10_000)
    expect(refusal()).toBe('USER_EXPIRED')
    change({ expiresAt: 0 })
    expect(refusal()).toBeUndefined()
    clock.advance(50_000)
    expect(refusal()).toBe('USER_EXPIRED')
  })

  it('expires at the date that it is given while connections run', () => {
    const { clock, connect, change } = rig()
    const it = connect()
    change({ expiresAt: 1_700_000_060_000 })
    clock.advance(59_999)
    expect(it.ended).toEqual([])
    clock.advance(1)
    expect(it.ended).toEqual(['USER_EXPIRED'])
  })

  it('asks the clock again when the timer fires', () => {
    const { clock, connect } = rig({ expiresAt: 1_700_000_060_000 })
    const it = connect()
    clock.set(1_699_999_990_000)
    clock.advance(69_999)
    expect(it.ended).toEqual([])
    clock.advance(1)
    expect(it.ended).toEqual(['USER_EXPIRED'])
  })

  it('has a pace for a direction that is limited, and the same for all connections', async () => {
    const { account, change, clock } = rig({ downlink: 1000 })
    expect(account.pace('uplink')).toBeUndefined()
    const pace = account.pace('downlink')
    expect(pace).toBeDefined()
    change({ uplink: 10 })
    expect(account.pace('downlink')).toBe(pace)
    let passed = 0
    const write = (piece: Uint8Array) => {
      passed += piece.length
    }
    const waiting = pace?.pass(new Uint8Array(10_000), write, forever)
    clock.advance(1000)
    expect(passed).toBeLessThanOrEqual(2000)
    change({ downlink: 0 })
    expect(account.pace('downlink')).toBeUndefined()
    await waiting
    expect(passed).toBe(10_000)
  })

  it('holds the limits that it was restored with', () => {
    const { account, connect, clock } = rig()
    account.restore({ uplink: 100, downlink: 0 }, { ...unlimited, uplink: 500, expiresAt: 1_700_000_001_000 })
    expect(account.pace('uplink')).toBeDefined()
    const it = connect()
    clock.advance(1000)
    expect(it.ended).toEqual(['USER_EXPIRED'])
  })
})

import { describe, expect, it } from 'vitest'
import { addressKey } from '../core/address.ts'
import type { ProxyError } from '../core/errors.ts'
import { type UserLimits, unlimited } from '../core/user-limits.ts'
import { fakeClock } from '../testing/fakes.ts'
import { Addresses } from './addresses.ts'

function rig(given: Partial<UserLimits>) {
  const clock = fakeClock(1_700_000_000_000)
  const limits = (more: Partial<UserLimits>) => ({ ...unlimited, addressGraceS: 60, ...more })
  let correction = 0
  const wall = { ...clock, now: () => clock.now() + correction }
  const addresses = new Addresses(wall, limits(given))
  /** Corrects what the clock shows; timers go on as they do. */
  const setBack = (ms: number) => {
    correction -= ms
  }
  const connect = (host: string) => {
    const member = {
      host,
      totals: { uplink: 0, downlink: 0 },
      ended: undefined as ProxyError | undefined,
      end: (reason: ProxyError) => {
        member.ended ??= reason
        addresses.leave(member)
      },
      use: () => {
        member.totals.downlink += 100
      },
      leave: () => addresses.leave(member),
    }
    addresses.admit(member)
    return member
  }
  const refusal = (host: string): string | undefined => {
    try {
      connect(host)
      return undefined
    } catch (error) {
      return (error as ProxyError).code
    }
  }
  return { clock, setBack, addresses, limits, connect, refusal }
}

describe('addressKey', () => {
  it('counts IPv6 by its network, mapped addresses as IPv4, and what has no address as one', () => {
    const same = [
      ['2001:db8:1:2::3', '2001:db8:1:2:ffff::1', '[2001:0db8:1:2::9]'],
      ['203.0.113.7', '::ffff:203.0.113.7', '[::ffff:cb00:7107]'],
      ['', 'unix', 'unix:/run/a:b'],
      ['fe80::1%eth0', '[fe80::2%eth1]'],
    ]
    for (const hosts of same) expect(new Set(hosts.map(addressKey)).size, hosts.join()).toBe(1)
    const apart = ['203.0.113.7', '203.0.113.8', '2001:db8:1:2::1', '2001:db8:1:3::1', '']
    expect(new Set(apart.map(addressKey)).size).toBe(apart.length)
  })
})

describe('Addresses', () => {
  it('counts addresses, not connections, and only those with a connection', () => {
    const { connect, refusal, clock } = rig({ addresses: 1, addressGraceS: 0 })
    const [one, two] = [connect('10.0.0.1'), connect('10.0.0.1')]
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    one.leave()
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    two.leave()
    expect(refusal('10.0.0.2')).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('lets a device that moved stay at its new address, and ends what it left behind', () => {
    const { connect, clock, refusal } = rig({ addresses: 1 })
    const home = connect('10.0.0.1')
    home.use()
    clock.advance(5000)
    const cafe = connect('10.0.0.2')
    clock.advance(59_999)
    cafe.use()
    expect(home.ended).toBeUndefined()
    clock.advance(1)
    expect(home.ended?.code).toBe('USER_ADDRESSES')
    expect(cafe.ended).toBeUndefined()
    clock.advance(600_000)
    expect(cafe.ended).toBeUndefined()
    expect(refusal('10.0.0.2')).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('ends a second device after the grace time and gives it no new one', () => {
    const { connect, refusal, clock } = rig({ addresses: 1 })
    const first = connect('10.0.0.1')
    const second = [connect('10.0.0.2'), connect('10.0.0.2')]
    clock.advance(10_000)
    first.use()
    clock.advance(50_000)
    expect(second.map(({ ended }) => ended?.code)).toEqual(['USER_ADDRESSES', 'USER_ADDRESSES'])
    expect(first.ended).toBeUndefined()
    for (let i = 0; i < 20; i++) {
      first.use()
      clock.advance(20_000)
      expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    }
    first.leave()
    expect(refusal('10.0.0.2')).toBeUndefined()
  })

  it('lets it in when the older one was not used for the grace time', () => {
    const { connect, refusal, clock } = rig({ addresses: 1 })
    const first = connect('10.0.0.1')
    connect('10.0.0.2')
    clock.advance(1000)
    first.use()
    clock.advance(59_000)
    first.use()
    clock.advance(1000)
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    clock.advance(59_999)
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
    expect(first.ended).toBeUndefined()
    clock.advance(1)
    expect(refusal('10.0.0.2')).toBeUndefined()
    expect(first.ended?.code).toBe('USER_ADDRESSES')
  })

  it('judges a device too that keeps no connection open', () => {
    const { connect, refusal, clock } = rig({ addresses: 1 })
    const first = connect('10.0.0.1')
    for (let i = 0; i < 5; i++) {
      connect('10.0.0.2').leave()
      clock.advance(10_000)
      first.use()
    }
    clock.advance(10_000)
    expect(refusal('10.0.0.2')).toBe('USER_ADDRESSES')
  })

  it('does not take the end of a connection for use of its address', () => {
    const { connect, clock } = rig({ addresses: 1 })
    const [stale, other] = [connect('10.0.0.1'), connect('10.0.0.1')]
    stale.use()
    const moved = connect('10.0.0.2')
    clock.advance(1000)
    stale.leave()
    clock.advance(59_000)
    expect(other.ended?.code).toBe('USER_ADDRESSES')
    expect(moved.ended).toBeUndefined()
  })

  it('settles a trial when an older address falls away', () => {
    const { connect, clock } = rig({ addresses: 2 })
    const [one, two] = [connect('10.0.0.1'), connect('10.0.0.2')]
    const three = connect('10.0.0.3')
    one.leave()
    expect(clock.pending).toBe(0)
    two.use()
    clock.advance(120_000)
    expect(three.ended).toBeUndefined()
  })

  it('bears with no more addresses at once than are permitted', () => {
    const { connect, refusal } = rig({ addresses: 2 })
    for (const host of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) connect(host)
    expect(refusal('10.0.0.5')).toBe('USER_ADDRESSES')
  })

  it('ends only as many as must go, the one longest unused first', () => {
    const { connect, clock } = rig({ addresses: 2 })
    const [one, two] = [connect('10.0.0.1'), connect('10.0.0.2')]
    clock.advance(1000)
    two.use()
    const three = connect('10.0.0.3')
    clock.advance(60_000)
    expect([one, two, three].map(({ ended }) => ended?.code)).toEqual(['USER_ADDRESSES', undefined, undefined])
  })

  it('ends the latest after the grace time when the limit is lowered, and leaves the unused to go first', () => {
    const { connect, clock, addresses, limits } = rig({ addresses: 0 })
    const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(connect)
    clock.advance(1000)
    addresses.limit(limits({ addresses: 1 }))
    clock.advance(1000)
    expect(all.some(({ ended }) => ended)).toBe(false)
    for (const it of all) it.use()
    clock.advance(59_000)
    expect(all.map(({ ended }) => ended?.code)).toEqual([undefined, 'USER_ADDRESSES', 'USER_ADDRESSES'])
    expect(clock.pending).toBe(0)
  })

  it('ends them at once without a grace time, and none when the limit is raised', () => {
    const { connect, addresses, limits, clock } = rig({ addresses: 2 })
    const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(connect)
    addresses.limit(limits({ addresses: 3 }))
    expect(clock.pending).toBe(0)
    expect(all.some(({ ended }) => ended)).toBe(false)
    addresses.limit(limits({ addresses: 1, addressGraceS: 0 }))
    expect(all.map(({ ended }) => ended?.code)).toEqual([undefined, 'USER_ADDRESSES', 'USER_ADDRESSES'])
  })

  it('keeps no timer when everybody has left', () => {
    const { connect, clock } = rig({ addresses: 1 })
    const [one, two] = [connect('10.0.0.1'), connect('10.0.0.2')]
    expect(clock.pending).toBe(1)
    two.leave()
    one.leave()
    expect(clock.pending).toBe(0)
  })

  it('ends a trial also when the clock was set back meanwhile', () => {
    const { connect, clock, setBack } = rig({ addresses: 1 })
    const first = connect('10.0.0.1')
    const second = connect('10.0.0.2')
    setBack(3_600_000)
    first.use()
    clock.advance(60_000)
    expect([first, second].filter(({ ended }) => ended)).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { forever, Life } from '../../core/lifetime.ts'
import { systemNames } from '../../dns/client/system.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import type { FreedomSettings } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createFreedom } from './outbound.ts'

const names: Record<string, { 4: string[]; 6: string[] }> = {
  both: { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8::1'] },
  only4: { 4: ['192.0.2.4'], 6: [] },
  only6: { 4: [], 6: ['2001:db8::6'] },
}

const resolve: Resolve = async (host, family) => {
  const found = names[host]
  const addresses = found ? (family === 0 ? [...found[4], ...found[6]] : found[family]) : []
  if (addresses.length === 0) throw new ProxyError('DNS_FAILED', `no ${host}`)
  return addresses
}

const udp: PacketDialer = { open: () => Promise.reject(new Error('no datagrams here')) }

function setUp(settings: Partial<FreedomSettings>, resolver = resolve) {
  const env: Env = { clock: fakeClock(0), random: fakeRandom(7), log: silentLogger }
  const dialled: string[] = []
  const [conn] = memoryPair()
  const dialer = {
    dial: async (to: Address) => {
      dialled.push(formatAddress(to))
      return conn
    },
  }
  const outbound = createFreedom(
    'direct',
    { domainStrategy: 'AsIs', level: 0, ...settings },
    { dialer, udp, resolve: resolver, names: systemNames(resolver), env },
  )
  const until = forever
  return { dialled, conn, outbound, dial: (host: string, port = 80) => outbound.dial({ host, port }, { until }) }
}

async function target(settings: Partial<FreedomSettings>, host: string, port = 80): Promise<string> {
  const { dial, dialled } = setUp(settings)
  await dial(host, port)
  expect(dialled).toHaveLength(1)
  return dialled[0]!
}

describe('freedom', () => {
  it('hands the target to the dialer as it is', async () => {
    const { dial, conn, dialled, outbound } = setUp({})
    expect(await dial('both')).toBe(conn)
    expect(dialled).toEqual(['both:80'])
    expect(outbound.tag).toBe('direct')
  })

  it.each([
    ['UseIPv4', 'only4', '192.0.2.4:80'],
    ['UseIPv4', 'only6', 'only6:80'],
    ['UseIPv6', 'both', '[2001:db8::1]:80'],
    ['UseIPv6', 'only4', 'only4:80'],
    ['UseIPv4v6', 'only4', '192.0.2.4:80'],
    ['UseIPv4v6', 'only6', '[2001:db8::6]:80'],
    ['UseIPv6v4', 'both', '[2001:db8::1]:80'],
    ['UseIPv6v4', 'only4', '192.0.2.4:80'],
    ['UseIP', 'nobody', 'nobody:80'],
    ['ForceIPv6', 'both', '[2001:db8::1]:80'],
    ['ForceIPv6v4', 'only4', '192.0.2.4:80'],
    ['ForceIPv4v6', 'only6', '[2001:db8::6]:80'],
    ['ForceIPv4', '2001:db8::9', '[2001:db8::9]:80'],
  ] as const)('%s makes of %s: %s', async (domainStrategy, host, expected) => {
    expect(await target({ domainStrategy }, host)).toBe(expected)
  })

  it.each([
    ['ForceIP', 'nobody'],
    ['ForceIPv4', 'only6'],
    ['ForceIPv6', 'only4'],
    ['ForceIPv4v6', 'nobody'],
  ] as const)('%s fails for %s', async (domainStrategy, host) => {
    const { dial, dialled } = setUp({ domainStrategy })
    await expect(dial(host)).rejects.toMatchObject({ code: 'DNS_FAILED' })
    expect(dialled).toEqual([])
  })

  it('also fails by force when the resolver gives an empty list', async () => {
    await expect(setUp({ domainStrategy: 'ForceIP' }, async () => []).dial('x')).rejects.toMatchObject({
      code: 'DNS_FAILED',
    })
  })

  it('picks any of several addresses', async () => {
    const { dial, dialled } = setUp({ domainStrategy: 'UseIP' })
    for (let i = 0; i < 60; i++) await dial('both')
    expect(new Set(dialled)).toEqual(new Set(['192.0.2.1:80', '192.0.2.2:80', '[2001:db8::1]:80']))
  })

  it('replaces the parts of the target that redirect gives', async () => {
    expect(await target({ redirect: { host: '127.0.0.1', port: 0 } }, 'both', 81)).toBe('127.0.0.1:81')
    expect(await target({ redirect: { host: '', port: 5353 } }, 'both', 81)).toBe('both:5353')
    expect(await target({ redirect: { host: 'only4', port: 1 }, domainStrategy: 'UseIP' }, 'both')).toBe('192.0.2.4:1')
  })

  it('stops waiting for the resolver when the dial is cancelled, and does not fall back', async () => {
    const { outbound, dialled } = setUp(
      { domainStrategy: 'UseIPv4v6' },
      (_host, _family, until) => new Promise((_, reject) => until.onGone(reject)),
    )
    const life = new Life()
    const dialling = outbound.dial({ host: 'both', port: 80 }, { until: life })
    const reason = new Error('late')
    life.end(reason)
    await expect(dialling).rejects.toBe(reason)
    expect(dialled).toEqual([])
  })

  it('makes one attempt, and passes its failure on', async () => {
    const failure = new ProxyError('DIAL_REFUSED', 'no')
    let attempts = 0
    const dialer = {
      dial: async () => {
        attempts++
        throw failure
      },
    }
    const env: Env = { clock: fakeClock(0), random: fakeRandom(7), log: silentLogger }
    const outbound = createFreedom(
      'direct',
      { domainStrategy: 'AsIs', level: 0 },
      { dialer, udp, resolve, names: systemNames(resolve), env },
    )
    const dialling = outbound.dial({ host: 'x', port: 1 }, { until: forever })
    await expect(dialling).rejects.toBe(failure)
    expect(attempts).toBe(1)
  })
})

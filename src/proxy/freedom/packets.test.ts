import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import { systemNames } from '../../dns/client/system.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import type { FreedomSettings } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createFreedom } from './outbound.ts'

const names: Record<string, string[]> = { both: ['2001:db8::1', '192.0.2.1'], six: ['2001:db8::6'], none: [] }

const resolve: Resolve = async (host, family) => {
  const found = names[host] ?? []
  const fitting = found.filter((address) => family === 0 || address.includes(':') === (family === 6))
  if (fitting.length === 0) throw new ProxyError('DNS_FAILED', `no ${host}`)
  return fitting
}

async function rig(settings: Partial<FreedomSettings> = {}) {
  const env: Env = { clock: fakeClock(0), random: fakeRandom(7), log: silentLogger }
  const [base, world] = memoryPackets()
  let opened = 0
  const udp = {
    open: async () => {
      opened++
      return base
    },
  }
  const dialer = { dial: () => Promise.reject(new Error('no streams here')) }
  const outbound = createFreedom(
    'direct',
    { domainStrategy: 'AsIs', level: 0, ...settings },
    { dialer, udp, resolve, names: systemNames(resolve), env },
  )
  const conn = await outbound.packets!.open({ until: forever, first: { host: 'both', port: 53 } })
  const arrived: string[] = []
  world.drainTo((_lent, to) => void arrived.push(formatAddress(to))).catch(() => {})
  const sent = async (...targets: Address[]) => {
    for (const to of targets) conn.send(Uint8Array.of(1), to)
    await new Promise<void>((done) => setImmediate(done))
    return arrived.splice(0)
  }
  return { conn, world, sent, opened: () => opened }
}

const at = (host: string, port = 53): Address => ({ host, port })

describe('freedom, for datagrams', () => {
  it('sends from one socket to everybody, to IPv4 where a name has both', async () => {
    const { sent, opened } = await rig()
    expect(await sent(at('192.0.2.9', 1), at('both'), at('six', 2), at('2001:db8::9', 3))).toEqual([
      '192.0.2.9:1',
      '[2001:db8::9]:3',
      '192.0.2.1:53',
      '[2001:db8::6]:2',
    ])
    expect(opened()).toBe(1)
  })

  it.each([
    ['UseIPv6', 'both', '[2001:db8::1]:53'],
    ['UseIPv4', 'six', '[2001:db8::6]:53'],
    ['ForceIPv6v4', 'both', '[2001:db8::1]:53'],
  ] as const)('%s makes of %s: %s', async (domainStrategy, host, expected) => {
    const { sent } = await rig({ domainStrategy })
    expect(await sent(at(host))).toEqual([expected])
  })

  it('drops and counts what is for a name without an allowed address', async () => {
    const { conn, sent } = await rig({ domainStrategy: 'ForceIPv4' })
    expect(await sent(at('six'), at('none'))).toEqual([])
    expect(conn.dropped).toBe(2)
  })

  it('replaces the parts of the target that redirect gives, and tells the true source', async () => {
    const { conn, world, sent } = await rig({ redirect: { host: '127.0.0.1', port: 5353 } })
    expect(await sent(at('both'), at('192.0.2.7', 7))).toEqual(['127.0.0.1:5353', '127.0.0.1:5353'])
    const sources: string[] = []
    conn.drainTo((_lent, from) => void sources.push(formatAddress(from))).catch(() => {})
    for (const from of [at('127.0.0.1', 5353), at('198.51.100.1', 9)]) world.send(Uint8Array.of(1), from)
    await new Promise<void>((done) => setImmediate(done))
    expect(sources).toEqual(['127.0.0.1:5353', '198.51.100.1:9'])
    const onlyPort = await rig({ redirect: { host: '', port: 5 } })
    expect(await onlyPort.sent(at('192.0.2.7', 7))).toEqual(['192.0.2.7:5'])
  })
})

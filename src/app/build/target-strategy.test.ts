import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { DomainStrategy } from '../../core/domain-strategy.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { resolvingTargets } from './target-strategy.ts'

const names: Record<string, readonly string[]> = { both: ['192.0.2.1', '2001:db8::1'], six: ['2001:db8::6'] }
const resolve: Resolve = async (host, family) => {
  const found = (names[host] ?? []).filter((one) => family === 0 || (one.includes(':') ? 6 : 4) === family)
  if (found.length === 0) throw new ProxyError('DNS_FAILED', `no ${host}`)
  return found
}

function rig(strategy: DomainStrategy) {
  const asked: string[] = []
  const [near, world] = memoryPackets()
  const sent: string[] = []
  world.drainTo((_lent, to) => void sent.push(formatAddress(to))).catch(() => {})
  const server: Outbound = {
    tag: 'server',
    level: 3,
    dial: async (to) => {
      asked.push(formatAddress(to))
      return memoryPair()[0]
    },
    packets: {
      open: async ({ first }) => {
        asked.push(`first ${first && formatAddress(first)}`)
        return near
      },
    },
    close: async () => {},
  }
  return { outbound: resolvingTargets(server, strategy, { resolve, random: { below: () => 0 } }), asked, sent }
}

const at = (host: string): Address => ({ host, port: 53 })

describe('targets that are resolved before the protocol', () => {
  it.each([
    ['UseIPv6', 'both', '[2001:db8::1]:53'],
    ['UseIPv4', 'six', 'six:53'],
    ['ForceIPv4v6', 'six', '[2001:db8::6]:53'],
    ['UseIP', 'none', 'none:53'],
    ['ForceIP', '192.0.2.9', '192.0.2.9:53'],
  ] as const)('%s asks for %s as %s', async (strategy, host, expected) => {
    const { outbound, asked, sent } = rig(strategy)
    expect(outbound).toMatchObject({ tag: 'server', level: 3 })
    await outbound.dial(at(host), { until: forever })
    const conn = await outbound.packets!.open({ until: forever, first: at(host) })
    conn.send(Uint8Array.of(1), at(host))
    await new Promise<void>((done) => setImmediate(done))
    expect(asked).toEqual([expected, `first ${expected}`])
    expect(sent).toEqual([expected])
  })

  it('fails by force, and drops the datagrams of further names', async () => {
    const { outbound, asked, sent } = rig('ForceIPv4')
    await expect(outbound.dial(at('six'), { until: forever })).rejects.toMatchObject({ code: 'DNS_FAILED' })
    const opening = outbound.packets!.open({ until: forever, first: at('six') })
    await expect(opening).rejects.toMatchObject({ code: 'DNS_FAILED' })
    const conn = await outbound.packets!.open({ until: forever, first: at('192.0.2.9') })
    conn.send(Uint8Array.of(1), at('six'))
    conn.send(Uint8Array.of(1), at('both'))
    await new Promise<void>((done) => setImmediate(done))
    expect(asked).toEqual(['first 192.0.2.9:53'])
    expect(sent).toEqual(['192.0.2.1:53'])
    expect(conn.dropped).toBe(1)
  })
})

import { describe, expect, it } from 'vitest'
import { builtin } from '../../builtin/kinds.ts'
import { loadConfigValue } from '../../config/load.ts'
import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Outbound } from '../../core/dialer.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { buildOutbound } from './build.ts'
import type { GroundOptions } from './ground.ts'
import { localAddresses } from './local-addresses.ts'

const env: Env = { clock: fakeClock(0), random: fakeRandom(4), log: silentLogger }
const addresses: Record<string, readonly string[]> = { 'both.example': ['192.0.2.1', '2001:db8::1'] }
const resolve: Resolve = async (host, family) => {
  const found = (addresses[host] ?? []).filter((one) => family === 0 || (one.includes(':') ? 6 : 4) === family)
  if (found.length === 0) throw new ProxyError('DNS_FAILED', `no ${host}`)
  return found
}

interface Rig {
  readonly outbound: Outbound
  /** What was dialled by sockets of its own. */
  readonly direct: string[]
  /** What was dialled through another outbound. */
  readonly through: string[]
  readonly grounds: GroundOptions[]
}

/** The first outbound of a list; the others are only names. */
function build(first: object, packets?: PacketDialer, answers: Error | undefined = undefined): Rig {
  const { config, problems } = loadConfigValue({ outbounds: [first] }, { otherOutbounds: ['front'] })
  if (!config) throw new Error(JSON.stringify(problems))
  const direct: string[] = []
  const through: string[] = []
  const grounds: GroundOptions[] = []
  const into = (list: string[]) => ({
    dial: async (to: Address) => {
      list.push(formatAddress(to))
      if (answers) throw answers
      return memoryPair()[0]
    },
  })
  const front: Outbound = { tag: 'front', ...into(through), ...(packets && { packets }), close: async () => {} }
  const ground = (options: GroundOptions): Ground => {
    grounds.push(options)
    return {
      tcp: into(direct),
      udp: { open: async () => memoryPackets()[0] },
      resolve: options.resolve,
      isOwn: () => false,
    }
  }
  const find = (tag: string) => (tag === 'front' ? front : undefined)
  const outbound = buildOutbound(config.outbounds[0]!, { kinds: builtin, env, read: () => '', resolve, ground, find })
  return { outbound, direct, through, grounds }
}

const target = { host: 'both.example', port: 80 }
const dial = (rig: Rig, to: Address = target) => rig.outbound.dial(to, { until: forever })

describe('an outbound through another', () => {
  const freedom = (more: object) => ({ protocol: 'freedom', tag: 'a', ...more })
  const hop = (sockopt: object = {}) => freedom({ streamSettings: { sockopt: { dialerProxy: 'front', ...sockopt } } })

  it('hands its dials on, names as they are', async () => {
    const rig = build(hop())
    await dial(rig)
    expect(rig).toMatchObject({ direct: [], through: ['both.example:80'], grounds: [] })
  })

  it('resolves names itself where a strategy says so', async () => {
    const rig = build(hop({ domainStrategy: 'ForceIPv6' }))
    await dial(rig)
    expect(rig.through).toEqual(['[2001:db8::1]:80'])
    await expect(dial(rig, { host: 'none.example', port: 80 })).rejects.toMatchObject({ code: 'DNS_FAILED' })
  })

  it('says through which outbound a dial has failed, and leaves who gave it up alone', async () => {
    const refused = build(hop(), undefined, new ProxyError('DIAL_REFUSED', 'nobody there'))
    await expect(dial(refused)).rejects.toMatchObject({
      code: 'DIAL_REFUSED',
      message: 'through the outbound "front": nobody there',
    })
    const aborted = build(hop(), undefined, new ProxyError('DIAL_ABORTED', 'given up'))
    await expect(dial(aborted)).rejects.toMatchObject({ message: 'given up' })
  })

  it('says that the other is not there any more', async () => {
    const rig = build({ protocol: 'freedom', proxySettings: { tag: 'front' } })
    await dial(rig)
    const { config } = loadConfigValue({ outbounds: [hop()] }, { otherOutbounds: ['front'] })
    const alone = buildOutbound(config!.outbounds[0]!, { kinds: builtin, env, read: () => '', resolve })
    await expect(alone.dial(target, { until: forever })).rejects.toMatchObject({
      code: 'NO_OUTBOUND',
      message: 'there is no outbound "front" to go through',
    })
  })

  it('sends datagrams by the packets of the other, to names too, or says that it has none', async () => {
    const [near, far] = memoryPackets()
    const rig = build(hop(), { open: async () => near })
    const packets = await rig.outbound.packets!.open({ until: forever })
    const came = new Promise<string>((resolve) => {
      far.drainTo((_, at) => resolve(formatAddress(at))).catch(() => {})
    })
    packets.send(Uint8Array.of(1), { host: 'both.example', port: 53 })
    expect(await came).toBe('both.example:53')
    packets.destroy()
    await expect(build(hop()).outbound.packets!.open({ until: forever })).rejects.toMatchObject({
      code: 'OUTBOUND_TCP_ONLY',
      message: 'the outbound "front", which it would go through, does not carry UDP',
    })
  })
})

describe('an outbound with sockets of its own', () => {
  it('asks for addresses as its strategy says, and takes the name as it is where that finds none', async () => {
    const freedom = (sockopt: object) => ({ protocol: 'freedom', streamSettings: { sockopt } })
    const four = build(freedom({ domainStrategy: 'UseIPv4' }))
    await dial(four)
    expect(four.direct).toEqual(['192.0.2.1:80'])
    addresses['six.example'] = ['2001:db8::6']
    const none = build(freedom({ domainStrategy: 'UseIPv4' }))
    await dial(none, { host: 'six.example', port: 80 })
    expect(none.direct).toEqual(['[2001:db8::6]:80'])
    const first = build(freedom({ happyEyeballs: { tryDelayMs: 100 } }))
    await dial(first)
    expect(first.direct).toEqual(['192.0.2.1:80'])
  })

  it('goes to its unix socket, whatever it is asked for', async () => {
    const rig = build({
      protocol: 'socks',
      settings: { address: 'proxy.example', port: 1080 },
      streamSettings: { network: 'ds', dsSettings: { path: '/run/a.sock' } },
    })
    const dialling = dial(rig)
    dialling.catch(() => {})
    await expect.poll(() => rig.direct).toEqual(['unix:/run/a.sock'])
  })

  it('leaves from the address that sendThrough names', async () => {
    const { grounds } = build({ protocol: 'freedom', sendThrough: '192.0.2.9' })
    const [{ from }] = grounds as [GroundOptions]
    expect(from!.next()).toBe('192.0.2.9')
    expect(await from!.resolving(resolve)('both.example', 0, forever)).toEqual(['192.0.2.1'])
    expect(await from!.resolving(resolve)('both.example', 6, forever)).toEqual([])
  })

  it('draws an address of a network', () => {
    const four = localAddresses({ host: '192.0.2.64', bits: 26 }, fakeRandom(1))
    const drawn = new Set(Array.from({ length: 400 }, () => Number(/^192\.0\.2\.(\d+)$/.exec(four.next())![1])))
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(64)
    expect(Math.max(...drawn)).toBeLessThan(128)
    expect(drawn.size).toBeGreaterThan(50)
    const six = localAddresses({ host: '2001:db8::', bits: 65 }, fakeRandom(1))
    for (let i = 0; i < 50; i++) expect(six.next()).toMatch(/^2001:db8:0:0:[0-7]?[0-9a-f]{0,3}:|^2001:db8::/)
  })
})

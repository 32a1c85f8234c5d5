import { describe, expect, it } from 'vitest'
import { recordingLog } from '../../../test/support/vmess-servers.ts'
import { builtin } from '../../builtin/kinds.ts'
import { loadConfigValue } from '../../config/load.ts'
import { type Address, formatAddress } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { forever } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { buildOutbound } from './build.ts'

const names: Record<string, readonly string[]> = {
  'inside.example': ['10.0.0.1'],
  'own.example': ['127.0.0.1', '::ffff:127.0.0.1'],
  'outside.example': ['192.0.32.8'],
  'both.example': ['fd00::1', '192.0.32.8', '10.0.0.1'],
}
const resolve: Resolve = async (host, family) => {
  const found = (names[host] ?? []).filter((one) => family === 0 || (one.includes(':') ? 6 : 4) === family)
  if (found.length === 0) throw new ProxyError('DNS_FAILED', `no ${host}`)
  return found
}

/** As 3x-ui writes it. */
const panel = [{ action: 'block', ip: ['geoip:private'] }, { action: 'allow' }]

function rig(finalRules: readonly object[], { through = false, ...settings }: Record<string, unknown> = {}) {
  const streamSettings = through ? { sockopt: { dialerProxy: 'front' } } : {}
  const { config, problems } = loadConfigValue(
    { outbounds: [{ protocol: 'freedom', settings: { finalRules, ...settings }, streamSettings }] },
    { otherOutbounds: ['front'] },
  )
  if (!config) throw new Error(JSON.stringify(problems))
  const log = recordingLog()
  const env: Env = { clock: fakeClock(0), random: fakeRandom(4), log: log.log }
  const dialled: string[] = []
  const dial = async (to: Address) => {
    dialled.push(formatAddress(to))
    return memoryPair()[0]
  }
  const [base, world] = memoryPackets()
  const sent: string[] = []
  world.drainTo((_lent, to) => void sent.push(formatAddress(to))).catch(() => {})
  const udp = { open: async () => base }
  const outbound = buildOutbound(config.outbounds[0]!, {
    kinds: builtin,
    env,
    read: () => '',
    resolve,
    ground: (options): Ground => ({ tcp: { dial }, udp, resolve: options.resolve, isOwn: () => false }),
    find: () => ({ tag: 'front', dial, packets: { takesNames: true, ...udp }, close: async () => {} }),
  })
  return { outbound, dialled, world, sent, lines: log.lines, warnings: problems }
}

const at = (host: string, port = 443): Address => ({ host, port })
const settled = () => new Promise<void>((done) => setImmediate(done))

const refused = [
  '10.0.0.1',
  '127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::1',
  'fe80::1%eth0',
  'inside.example',
  'own.example',
]

describe.each([
  ['by sockets', {}],
  ['by sockets, with a strategy', { domainStrategy: 'UseIP' }],
  ['through another outbound', { through: true }],
])('finalRules of freedom, %s', (_name, how) => {
  it.each(refused)('refuse %s', async (host) => {
    const { outbound, dialled } = rig(panel, how)
    const refusal = outbound.dial(at(host), { until: forever })
    await expect(refusal).rejects.toMatchObject({ code: 'TARGET_REFUSED', fault: 'policy' })
    await expect(refusal).rejects.toThrow('outbounds[0].settings.finalRules[0] blocks it')
    expect(dialled).toEqual([])
  })

  it('let everything else through', async () => {
    const { outbound, dialled } = rig(panel, how)
    for (const host of ['192.0.32.8', 'outside.example', '2001:4860::8']) {
      await outbound.dial(at(host), { until: forever })
    }
    expect(dialled).toEqual(['192.0.32.8:443', '192.0.32.8:443', '[2001:4860::8]:443'])
  })

  it('drop datagrams to and from what is refused', async () => {
    const { outbound, sent, world, lines } = rig(panel, how)
    const conn = await outbound.packets!.open({ until: forever, first: at('10.0.0.1') })
    for (const host of [...refused, '192.0.32.8', 'outside.example']) conn.send(Uint8Array.of(1), at(host))
    await settled()
    expect(sent).toEqual(['192.0.32.8:443', '192.0.32.8:443'])
    expect(conn.dropped).toBe(refused.length)
    expect(lines.filter(({ fields }) => fields.code === 'TARGET_REFUSED')).toHaveLength(1)
    const heard: string[] = []
    conn.drainTo((_lent, from) => void heard.push(formatAddress(from))).catch(() => {})
    for (const from of ['10.0.0.1', '192.0.32.8', '::ffff:10.0.0.1']) world.send(Uint8Array.of(1), at(from))
    await settled()
    expect(heard).toEqual(['192.0.32.8:443'])
  })
})

describe('finalRules', () => {
  it('look at every address of a race, and go by those that are allowed', async () => {
    const { outbound, dialled } = rig(panel)
    await outbound.dial(at('both.example'), { until: forever })
    expect(dialled).toEqual(['192.0.32.8:443'])
  })

  it('are about what redirect makes of a target', async () => {
    const { outbound, dialled } = rig(panel, { redirect: '127.0.0.1:80' })
    await expect(outbound.dial(at('192.0.32.8'), { until: forever })).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    expect(dialled).toEqual([])
  })

  it('go from the first on, by network, port and address', async () => {
    const { outbound, dialled, sent } = rig([
      { action: 'Allow', ip: '10.0.0.1', port: 53, network: 'udp' },
      { action: 'block', ip: ['10.0.0.0/8'], port: '' },
      { action: 'block', port: '25,465', network: 'tcp' },
    ])
    const dial = (host: string, port: number) => outbound.dial(at(host, port), { until: forever })
    await expect(dial('10.0.0.1', 53)).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    await expect(dial('192.0.32.8', 465)).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    await dial('192.0.32.8', 443)
    expect(dialled).toEqual(['192.0.32.8:443'])
    const conn = await outbound.packets!.open({ until: forever })
    for (const to of [at('10.0.0.1', 53), at('10.0.0.1', 54), at('192.0.32.8', 25)]) conn.send(Uint8Array.of(1), to)
    await settled()
    expect(sent).toEqual(['10.0.0.1:53', '192.0.32.8:25'])
  })

  it.each([
    ['nothing', []],
    ['a first rule that allows everything', [{ action: 'allow' }, { action: 'block' }]],
  ])('leave names to another outbound with %s', async (_name, rules) => {
    const { outbound, dialled } = rig(rules, { through: true })
    await outbound.dial(at('own.example'), { until: forever })
    expect(dialled).toEqual(['own.example:443'])
  })
})

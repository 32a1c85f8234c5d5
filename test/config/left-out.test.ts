/** Inbounds and outbounds of other protocols: refused, or left out so that nothing falls through to another way. */
import { afterEach, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { errorOf, load } from './helpers.ts'

const freedom = { tag: 'direct', protocol: 'freedom' }
const foreign = (tag: string, protocol = 'vless') => ({
  tag,
  protocol,
  settings: { vnext: [] },
  streamSettings: { network: 'xhttp', security: 'reality', realitySettings: { publicKey: 'x' } },
})
const rules = [
  { domain: ['full:foreign.example'], outboundTag: 'foreign' },
  { domain: ['full:some.example'], balancerTag: 'some' },
  { domain: ['full:gone.example'], balancerTag: 'gone' },
  { domain: ['full:fallen.example'], balancerTag: 'fallen' },
]
const balancers = [
  { tag: 'some', selector: ['di', 'fo'] },
  { tag: 'gone', selector: ['fo'] },
  { tag: 'fallen', selector: ['nothing'], fallbackTag: 'foreign' },
]

let instance: Instance | undefined
afterEach(async () => {
  await instance?.stop(0)
  instance = undefined
})

function started(outbounds: readonly object[], inbounds: readonly object[] = []) {
  const file = { inbounds, outbounds, routing: { rules, balancers } }
  const { config, problems } = loadConfigValue(file, { skipUnsupported: true })
  if (!config) throw new Error(JSON.stringify(problems))
  const running = new Instance(config, { env: systemEnv(silentLogger), resolve: async () => ['192.0.2.1'] })
  instance = running
  const wayOf = async (host: string) => {
    const target = { host, port: 80 }
    const flow = { id: 1, inboundTag: 'in', source: '127.0.0.1:5', network: 'tcp', target, startedAt: 0 } as const
    const outbound = await running.routing.route({ ...flow, user: { email: '', level: 0 } }, forever)
    return outbound!
  }
  return { config, wayOf, said: problems.map(({ severity, code, path }) => `${severity} ${code} ${path}`) }
}

describe('other protocols', () => {
  it.each(['vless', 'Trojan', 'shadowsocks', 'wireguard', 'hysteria'])('are refused by name: %s', (protocol) => {
    const inbound = errorOf(load({ inbounds: [{ port: 1, protocol }], outbounds: [freedom] }), 'CFG034')
    expect(inbound.message).toContain(`"${protocol}" is known but not supported`)
    expect(inbound.hint).toContain('--skip-unsupported')
    const outbound = errorOf(load({ outbounds: [freedom, foreign('x', protocol)] }), 'CFG034', 'outbounds[1].protocol')
    expect(outbound.hint).toContain('what rules lead to it is blocked')
  })

  it('are left out with a warning, and what leads to them is blocked', async () => {
    const inbounds = [{ port: 'nonsense', protocol: 'shadowsocks', tag: 'other', settings: { method: 'x' } }]
    const { config, wayOf, said } = started([freedom, foreign('foreign')], inbounds)
    expect(said.filter((line) => line.includes('CFG034'))).toEqual([
      'warning CFG034 inbounds[0].protocol',
      'warning CFG034 outbounds[1].protocol',
    ])
    expect(config.inbounds).toEqual([])
    expect(config.outbounds.map(({ tag }) => tag)).toEqual(['direct'])
    expect((await wayOf('elsewhere.example')).tag).toBe('direct')
    expect((await wayOf('some.example')).tag).toBe('direct')
    for (const host of ['foreign.example', 'gone.example', 'fallen.example']) {
      await expect(wayOf(host)).rejects.toMatchObject({ code: 'OUTBOUND_MISSING' })
    }
  })

  it('block what no rule takes where the first outbound is one of them', async () => {
    const { wayOf, config } = started([foreign('foreign'), freedom])
    expect(config.outbounds.map(({ protocol }) => protocol)).toEqual(['blackhole', 'freedom'])
    const way = await wayOf('elsewhere.example')
    await expect(way.dial({ host: 'elsewhere.example', port: 80 }, { until: forever })).rejects.toMatchObject({
      code: 'OUTBOUND_BLOCKED',
    })
    expect((await wayOf('some.example')).tag).toBe('direct')
    await expect(wayOf('foreign.example')).rejects.toMatchObject({ code: 'OUTBOUND_MISSING' })
  })

  it('block what would go through them', async () => {
    const { wayOf } = started([{ ...freedom, proxySettings: { tag: 'foreign' } }, foreign('foreign')])
    const way = await wayOf('elsewhere.example')
    await expect(way.dial({ host: '192.0.2.1', port: 80 }, { until: forever })).rejects.toMatchObject({
      code: 'NO_OUTBOUND',
    })
  })

  it('stay errors where they are misspelt', () => {
    const { problems } = loadConfigValue({ outbounds: [{ protocol: 'vles' }] }, { skipUnsupported: true })
    expect(problems[0]).toMatchObject({ severity: 'error', code: 'CFG080' })
  })
})

/** Rules at work in an instance: loopback, reload, balancers, and what rules may lead to the API. */
import { afterEach, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { reload } from '../../src/app/reload/reload.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import type { Session } from '../../src/core/session.ts'

const env = systemEnv(silentLogger)
const configOf = (routing: object, rest: object = {}) => {
  const { config, problems } = loadConfigValue({
    outbounds: [
      { tag: 'direct', protocol: 'freedom' },
      { tag: 'block', protocol: 'blackhole' },
      { tag: 'again', protocol: 'loopback', settings: { inboundTag: 'second' } },
    ],
    routing,
    ...rest,
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  return config
}
let instance: Instance
const start = (routing: object, rest?: object) => {
  instance = new Instance(configOf(routing, rest), { env, resolve: async () => ['10.0.0.9'] })
  return instance
}
afterEach(() => instance.stop(0))

const session = (host: string, port = 80, inboundTag = 'in'): Session => ({
  id: 1,
  inboundTag,
  source: '127.0.0.1:5',
  network: 'tcp',
  target: { host, port },
  user: { email: '', level: 0 },
  startedAt: 0,
})
const wayOf = async (asked: Session) => {
  const outbound = await instance.routing.route(asked, forever)
  return `${outbound?.tag} by ${asked.rule}`
}

describe('routes', () => {
  it('without rules takes the first outbound, at once', () => {
    start({})
    expect(instance.routing.route(session('a.example'), forever)).toBe(instance.outbounds.first)
  })

  it('names the rule that decided, and blocks where it leads nowhere', async () => {
    start({
      domainStrategy: 'IPIfNonMatch',
      rules: [
        { port: 25, outboundTag: 'nowhere', ruleTag: 'mail' },
        { ip: ['10.0.0.0/8'], outboundTag: 'block' },
      ],
    })
    expect(await wayOf(session('a.example'))).toBe('block by #2')
    expect(await wayOf(session('192.0.2.1'))).toBe('direct by undefined')
    await expect(wayOf(session('192.0.2.1', 25))).rejects.toMatchObject({
      code: 'OUTBOUND_MISSING',
      message: 'the rule mail leads to the outbound "nowhere", which does not exist',
    })
  })

  it('goes through the rules again by a loopback, so often and no more', async () => {
    start({
      rules: [
        { inboundTag: ['second'], port: 443, outboundTag: 'again' },
        { inboundTag: ['second'], outboundTag: 'block', ruleTag: 'last' },
        { network: 'tcp', outboundTag: 'again' },
      ],
    })
    expect(await wayOf(session('192.0.2.1'))).toBe('block by last')
    await expect(wayOf(session('192.0.2.1', 443))).rejects.toMatchObject({ code: 'LOOP_DETECTED' })
  })

  it('lets only those into the API whose inbound a rule names', async () => {
    const api = { tag: 'api', services: ['StatsService'] }
    const inbounds = [{ tag: 'door', protocol: 'dokodemo-door', listen: '127.0.0.1', port: 1, settings: { port: 1 } }]
    start(
      {
        rules: [
          { inboundTag: ['door'], outboundTag: 'api' },
          { port: 81, outboundTag: 'api' },
        ],
      },
      { api, inbounds },
    )
    instance.outbounds.add({
      outbound: { tag: 'api', dial: () => Promise.reject(new Error('')), close: async () => {} },
    })
    expect(await wayOf(session('192.0.2.1', 81, 'door'))).toBe('api by #1')
    await expect(wayOf(session('192.0.2.1', 81))).rejects.toMatchObject({ code: 'TARGET_FORBIDDEN' })
  })
})

describe('a reload', () => {
  const rules = (outboundTag: string) => ({ rules: [{ network: 'tcp', outboundTag }] })

  it('puts other rules in force, and says so', async () => {
    start(rules('block'))
    await instance.start()
    expect(await wayOf(session('a.example'))).toBe('block by #1')
    const report = await reload(instance, configOf(rules('direct')), env)
    expect(report.routing).toBe(true)
    expect(await wayOf(session('a.example'))).toBe('direct by #1')
    expect((await reload(instance, configOf(rules('direct')), env)).routing).toBe(false)
  })

  it('changes nothing when a list is not there', async () => {
    start(rules('block'))
    await instance.start()
    const next = configOf({ rules: [{ domain: ['ext:none.dat:a'], outboundTag: 'direct' }] })
    await expect(reload(instance, next, env)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await wayOf(session('a.example'))).toBe('block by #1')
  })

  it('leaves what an API chose for a balancer that the files do not change', async () => {
    const balanced = (port: number) => ({
      rules: [{ port, balancerTag: 'b' }],
      balancers: [{ tag: 'b', selector: ['direct'] }],
    })
    start(balanced(80))
    await instance.start()
    instance.routing.balancer('b')!.override = 'block'
    await reload(instance, configOf(balanced(81)), env)
    expect(await wayOf(session('a.example', 81))).toBe('block by #1')
  })
})

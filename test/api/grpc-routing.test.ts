/** RoutingService and ObservatoryService, by the bytes that Xray's commands send (its development state of 2026-08-19). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ruleOf } from '../../src/api/grpc/routing-rules.ts'
import { routingService } from '../../src/api/grpc/routing-service.ts'
import { InstanceControl } from '../../src/app/control/control.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { silentLogger } from '../../src/core/env.ts'
import { type Api, type Caller, callerOf, configOf, startApi, types } from './grpc-tools.ts'

const ruleFrom = (hex: string) =>
  ruleOf(types.open('xray.app.router.RoutingRule', Buffer.from(`${hex}0a016f`, 'hex')).fields)

describe('rules as the commands send them', () => {
  const net = (bytes: readonly number[], prefix: number, not = false) => ({
    kind: 'block',
    bytes: Uint8Array.from(bytes),
    prefix,
    not,
  })
  it.each([
    ['120912071205706c61696e', { domains: [{ kind: 'keyword', value: 'plain' }] }],
    ['12071205706c61696e', { domains: [{ kind: 'keyword', value: 'plain' }] }],
    [
      '12180a160a0b67656f736974652e6461741202434e1a03616473',
      { domains: [{ kind: 'list', file: 'geosite.dat', code: 'CN', attributes: ['ads'] }] },
    ],
    ['520c120a0a080a040a0000001008', { ips: [net([10, 0, 0, 0], 8)] }],
    ['520a12080a040a0000001008', { ips: [net([10, 0, 0, 0], 8)] }],
    ['520e120c0a080a040a00000010081001', { ips: [net([10, 0, 0, 0], 8, true)] }],
    [
      '52130a110a0967656f69702e6461741202434e1801',
      { ips: [{ kind: 'list', file: 'geoip.dat', code: 'CN', not: true }] },
    ],
    ['521412080a040a000000100812080a04010101011020', { ips: [net([10, 0, 0, 0], 8), net([1, 1, 1, 1], 32)] }],
    [
      '720e0a04085010500a0608bb0310bd03',
      {
        ports: [
          { from: 80, to: 80 },
          { from: 443, to: 445 },
        ],
      },
    ],
    ['7a060a016b120176', { attributes: { kind: 'headers', headers: { k: 'v' } } }],
    ['6a020203', { networks: ['tcp', 'udp'] }],
    ['4202696e9a010174', { inboundTags: ['in'], ruleTag: 't' }],
  ])('%s', (hex, expected) => {
    expect(ruleFrom(hex)).toEqual({ at: '', ruleTag: '', outboundTag: 'o', ...expected })
  })
})

const sib =
  '0a550a16787261792e6170702e726f757465722e436f6e666967123b12394202696e5a0c120a0a080a040102030410205a0c120a0a080a040a00000010089a010d736f757263654970426c6f636b0a07626c6f636b65641001'

describe('a router', () => {
  const instance = new Instance(
    configOf({
      outbounds: ['node1', 'node2', 'direct'].map((tag) => ({ tag, protocol: 'freedom' })),
      routing: {
        rules: [
          { domain: ['full:a.test'], outboundTag: 'node1', ruleTag: 'first' },
          { port: 81, balancerTag: 'bal' },
        ],
        balancers: [{ tag: 'bal', selector: ['node'], strategy: { type: 'roundRobin' } }],
      },
    }),
    { env: systemEnv(silentLogger) },
  )
  const control = new InstanceControl({
    instance,
    env: systemEnv(silentLogger),
    version: '',
    reload: async () => ({ problems: [] }),
    restartLog() {},
  })
  const methods = routingService({ control, types, log: silentLogger, clock: systemEnv().clock, kinds: instance.kinds })
  const service = types.service('app.router.command.RoutingService', 'xray')
  /** Bytes of a request in, bytes of the answer out. */
  async function exchange(method: string, hex: string): Promise<string> {
    const { requestDeserialize, responseSerialize } = service[method]!
    const request = types.fields(method, requestDeserialize(Buffer.from(hex, 'hex')))
    return responseSerialize(await methods[method]!(request)).toString('hex')
  }

  it('answers as Xray does, byte by byte', async () => {
    expect(await exchange('ListRule', '')).toBe('0a0e0a056e6f6465311205666972737' + '40a00')
    expect(await exchange('GetBalancerInfo', '0a0362616c')).toBe('0a122a00320e0a056e6f6465310a056e6f646532')
    expect(await exchange('OverrideBalancerTarget', '0a0362616c12056e6f646532')).toBe('')
    expect(await exchange('GetBalancerInfo', '0a0362616c')).toBe(
      '0a192a0712056e6f646532320e0a056e6f6465310a056e6f646532',
    )
    expect(await exchange('OverrideBalancerTarget', '0a0362616c')).toBe('')
    expect(await exchange('TestRoute', '0a083a06612e74657374' + '1206646f6d61696e' + '12086f7574626f756e64')).toBe(
      '3a06612e7465737462056e6f646531',
    )
  })

  it('takes rules behind the others, once under each label, and lets go of them', async () => {
    expect(await exchange('AddRule', sib)).toBe('')
    expect((await control.rules()).at(-1)).toEqual({ ruleTag: 'sourceIpBlock', outboundTag: 'blocked' })
    await expect(exchange('AddRule', sib)).rejects.toMatchObject({
      code: 2,
      message: 'app/router: duplicate ruleTag sourceIpBlock',
    })
    await exchange('RemoveRule', `0a0d${Buffer.from('sourceIpBlock').toString('hex')}`)
    expect(await control.rules()).toHaveLength(2)
    await expect(exchange('RemoveRule', '')).rejects.toMatchObject({ message: 'app/router: empty tag name!' })
    await expect(exchange('GetBalancerInfo', '')).rejects.toMatchObject({ message: 'app/router: cannot find tag' })
  })

  it('leaves everything as it is when something of a message is wrong', async () => {
    const config = (fields: string) => {
      const name = Buffer.from('xray.app.router.Config').toString('hex')
      const length = (text: string) => (text.length / 2).toString(16).padStart(2, '0')
      const typed = `0a${length(name)}${name}12${length(fields)}${fields}`
      return `0a${length(typed)}${typed}`
    }
    const rule = (fields: string) => `12${(fields.length / 2).toString(16).padStart(2, '0')}${fields}`
    await expect(exchange('AddRule', config(rule('0a016f')))).rejects.toMatchObject({
      message: 'app/router: this rule has no effective fields',
    })
    await expect(exchange('AddRule', config(rule('620178' + '6a0102')))).rejects.toMatchObject({
      message: 'app/router: balancer x not found',
    })
    await expect(exchange('AddRule', '0a020a00')).rejects.toMatchObject({ message: 'proto: not found' })
    await expect(exchange('AddRule', '')).rejects.toMatchObject({ message: 'proto: not found' })
    expect(await control.rules()).toHaveLength(2)
  })
})

describe('over gRPC', () => {
  let api: Api
  let xray: Caller
  let v2ray: Caller
  beforeAll(async () => {
    api = await startApi(['RoutingService', 'ObservatoryService'])
    xray = callerOf(`127.0.0.1:${api.listenPort}`, 'xray')
    v2ray = callerOf(`127.0.0.1:${api.listenPort}`, 'v2ray')
  })
  afterAll(async () => {
    xray.close()
    v2ray.close()
    await api.close()
  })

  it('answers under both names', async () => {
    for (const caller of [xray, v2ray]) {
      const { rules } = await caller.call<{ rules: object[] }>('RoutingService.ListRule')
      expect(rules).toEqual([{ tag: 'api' }])
      expect(await caller.call('ObservatoryService.GetOutboundStatus')).toEqual({ status: {} })
    }
  })

  it('rules hold from the next connection on', async () => {
    const rule = { inbound_tag: ['vmess-in'], tag: 'nowhere', rule_tag: 'stop' }
    const config = xray.typed('app.router.Config', { rule: [rule] })
    await xray.call('RoutingService.AddRule', { config, shouldAppend: true })
    const question = { InboundTag: 'vmess-in', Network: 2, TargetDomain: 'a.test', TargetPort: 80 }
    expect(await xray.call('RoutingService.TestRoute', { RoutingContext: question })).toMatchObject({
      OutboundTag: 'nowhere',
    })
    await xray.call('RoutingService.RemoveRule', { ruleTag: 'stop' })
    await expect(v2ray.call('RoutingService.TestRoute', { RoutingContext: question })).rejects.toMatchObject({
      code: 2,
      details: 'common: not enough information for making a decision',
    })
  })
})

/** One test per row of the tables of the outermost object, log, policy and stats. */
import { describe, expect, test } from 'vitest'
import type { LoadResult } from '../../../src/config/load.ts'
import { defaultPolicy, defaultSystemPolicy, policyOf } from '../../../src/settings/model.ts'
import {
  codesOf,
  configOf,
  errorOf,
  load,
  problemOf,
  quietConfigOf,
  uuid,
  vmessIn,
  warningOf,
  withInbound,
} from '../helpers.ts'

const clients = [{ id: uuid }]
const freedom = { protocol: 'freedom' }

describe('outermost object', () => {
  test('old forms come first, in their order, with a warning each', () => {
    const inbound = (tag: string) => ({ tag, protocol: 'http', listen: '127.0.0.1', port: 1 + tag.length })
    const result = load({
      inbounds: [inbound('ccc')],
      inboundDetour: [inbound('bb')],
      inbound: inbound('a'),
      outbounds: [{ tag: 'z', ...freedom }],
      outboundDetour: [{ tag: 'y', ...freedom }],
      outbound: { tag: 'x', ...freedom },
    })
    const config = configOf(result)
    expect(config.inbounds.map(({ tag, at }) => [tag, at])).toEqual([
      ['a', 'inbound'],
      ['bb', 'inboundDetour[0]'],
      ['ccc', 'inbounds[0]'],
    ])
    expect(config.outbounds.map(({ tag }) => tag)).toEqual(['x', 'y', 'z'])
    expect(codesOf(result)).toEqual(['CFG036', 'CFG036', 'CFG036', 'CFG036'])
  })

  test('port outside supplies the port of the first inbound that has none', () => {
    const file = (inbound: object) =>
      load({ port: 77, inbound: { protocol: 'vmess', settings: { clients }, ...inbound }, outbound: freedom })
    expect(configOf(file({})).inbounds[0]!.listen[0]!.address.port).toBe(77)
    expect(configOf(file({ port: 78 })).inbounds[0]!.listen[0]!.address.port).toBe(78)
    warningOf(file({}), 'CFG036', 'port')
  })

  test('transport fills in for streams without settings of their own', () => {
    const transport = { tcpSettings: { header: { type: 'http' } } }
    quietConfigOf(load({ ...vmessIn({ clients }), transport: {} }))
    const plain = { tcpSettings: { header: { type: 'none' } } }
    warningOf(load({ ...vmessIn({ clients }), transport: plain }), 'CFG036', 'transport')
    expect(configOf(load({ ...vmessIn({ clients }), transport })).inbounds[0]!.stream).toHaveProperty('transport')
    const own = { streamSettings: { tcpSettings: { header: { type: 'none' } } } }
    const file = withInbound({ settings: { clients }, ...own }, { outbounds: [{ ...freedom, ...own }], transport })
    expect(configOf(load(file)).inbounds[0]!.stream).not.toHaveProperty('transport')
  })

  test.each(['quicSettings'])('transport.%s has no effect', (key) => {
    const file = (settings: object) => load({ ...vmessIn({ clients }), transport: { [key]: settings } })
    warningOf(file({ path: '/' }), 'CFG030', `transport.${key}`)
    expect(codesOf(file({}))).toEqual(['CFG036'])
  })

  test.each([
    'browserForwarder',
    'multiObservatory',
    'services',
    'metrics',
    'version',
    'geodata',
  ])('%s warns', (key) => {
    warningOf(load({ [key]: { x: 1 } }), 'CFG030', key)
  })

  test('env: names and values', () => {
    errorOf(load({ env: { A: 1 } }), 'CFG022', 'env.A')
  })

  test('no outbound: every connection would be closed', () => {
    warningOf(load({ ...vmessIn({ clients }), outbounds: [] }), 'CFG083', 'outbounds')
    warningOf(load({ inbounds: vmessIn({ clients }).inbounds }), 'CFG083', 'outbounds')
  })

  test('the first outbound is the first', () => {
    const result = load({ outbounds: [{ tag: 'b', protocol: 'blackhole' }, freedom] })
    expect(quietConfigOf(result).outbounds.map(({ protocol }) => protocol)).toEqual(['blackhole', 'freedom'])
  })
})

describe('log', () => {
  test('absent: no access log, warnings to the standard output', () => {
    expect(quietConfigOf(load({})).log).toEqual({ access: 'none', error: '', level: 'warning', maskAddress: '' })
  })

  test('access and error: paths, "" for the standard output, "none" for off', () => {
    expect(quietConfigOf(load({ log: {} })).log).toMatchObject({ access: '', error: '' })
    expect(quietConfigOf(load({ log: { access: '/a', error: 'none' } })).log).toMatchObject({
      access: '/a',
      error: 'none',
    })
  })

  test.each(['debug', 'info', 'warning', 'error', 'none'])('loglevel: %s', (level) => {
    const { log } = quietConfigOf(load({ log: { loglevel: level.toUpperCase() } }))
    expect(log.level).toBe(level)
    expect(log.access).toBe(level === 'none' ? 'none' : '')
  })

  test('loglevel: an unknown one means warning, and says so', () => {
    const result = load({ log: { loglevel: 'inof' } })
    expect(configOf(result).log.level).toBe('warning')
    expect(warningOf(result, 'CFG026', 'log.loglevel').hint).toBe('did you mean "info"?')
    expect(warningOf(load({ log: { loglevel: 'warn' } }), 'CFG026').hint).toBe('did you mean "warning"?')
  })

  test('dnsLog has no effect', () => {
    warningOf(load({ log: { dnsLog: true } }), 'CFG030', 'log.dnsLog')
    quietConfigOf(load({ log: { dnsLog: false } }))
  })

  test.each(['', 'quarter', 'half', 'full', '/16+/32', '/24'])('maskAddress: %j', (maskAddress) => {
    expect(quietConfigOf(load({ log: { maskAddress } })).log.maskAddress).toBe(maskAddress)
  })

  test.each(['none', '/12', '/40', '/16+/33'])('maskAddress: %j is an error', (maskAddress) => {
    errorOf(load({ log: { maskAddress } }), 'CFG025', 'log.maskAddress')
  })
})

describe('policy', () => {
  const file = (policy: object) => load({ policy })

  test('levels: what is not given has the defaults', () => {
    const { policy } = quietConfigOf(
      file({ levels: { '0': { handshake: 4 }, '7': { connIdle: 1, uplinkOnly: 0, downlinkOnly: 9 } } }),
    )
    const others = { bufferSize: 524288, statsUserUplink: true, statsUserDownlink: true, statsUserOnline: true }
    expect(policyOf(policy, 0)).toEqual({ handshake: 4, connIdle: 300, uplinkOnly: 2, downlinkOnly: 5, ...others })
    expect(policyOf(policy, 7)).toEqual({ handshake: 60, connIdle: 1, uplinkOnly: 0, downlinkOnly: 9, ...others })
    expect(policyOf(policy, 1)).toEqual({ handshake: 60, connIdle: 300, uplinkOnly: 2, downlinkOnly: 5, ...others })
  })

  test('levels: names are numbers', () => {
    errorOf(file({ levels: { one: {} } }), 'CFG023', 'policy.levels.one')
    errorOf(file({ levels: { '4294967296': {} } }), 'CFG023')
  })

  test.each(['handshake', 'connIdle', 'uplinkOnly', 'downlinkOnly'])('%s: seconds, whole and not negative', (key) => {
    errorOf(file({ levels: { '0': { [key]: -1 } } }), 'CFG023', `policy.levels.0.${key}`)
    errorOf(file({ levels: { '0': { [key]: 1.5 } } }), 'CFG022', `policy.levels.0.${key}`)
  })

  test.each([
    'statsUserUplink',
    'statsUserDownlink',
    'statsUserOnline',
  ] as const)('%s: on, unless a level says false', (key) => {
    const level = (value: unknown) => policyOf(quietConfigOf(file({ levels: { '3': { [key]: value } } })).policy, 3)
    expect(level(true)[key]).toBe(true)
    expect(level(null)[key]).toBe(true)
    expect(level(false)).toEqual({ ...defaultPolicy, [key]: false })
    errorOf(file({ levels: { '3': { [key]: 'false' } } }), 'CFG022', `policy.levels.3.${key}`)
  })

  test.each([
    'statsInboundUplink',
    'statsInboundDownlink',
    'statsOutboundUplink',
    'statsOutboundDownlink',
  ] as const)('%s: on, unless false', (key) => {
    const system = (value: unknown) => quietConfigOf(file({ system: { [key]: value } })).policy.system
    expect(system(true)[key]).toBe(true)
    expect(system(null)[key]).toBe(true)
    expect(system(false)).toEqual({ ...defaultSystemPolicy, [key]: false })
    errorOf(file({ system: { [key]: 1 } }), 'CFG022', `policy.system.${key}`)
  })

  test('without a policy all counters are on', () => {
    expect(quietConfigOf(load({})).policy).toEqual({ levels: new Map(), system: defaultSystemPolicy })
  })

  describe('bufferSize', () => {
    const at = 'policy.levels.0.bufferSize'
    const size = (value: unknown) => file({ levels: { '0': { bufferSize: value } } })
    const bytesOf = (result: LoadResult) => policyOf(configOf(result).policy, 0).bufferSize

    test('something else: the unit is said', () => {
      expect(errorOf(size('big'), 'CFG022', at).message).toBe(
        'found "big" (a string), expected a whole number of KiB, such as 512',
      )
    })

    test.each([
      [0, 0],
      [4, 4096],
      [512, 524288],
      [65536, 67108864],
      [null, 524288],
    ])('%j KiB', (kib, bytes) => {
      quietConfigOf(size(kib))
      expect(bytesOf(size(kib))).toBe(bytes)
    })

    test.each([
      [-1, '-1 KiB is unlimited in V2Ray: 65536 KiB are used'],
      [65537, '65537 KiB is more than a connection may hold: 65536 KiB are used'],
    ])('%j: the most there is, which is said', (kib, message) => {
      expect(bytesOf(size(kib))).toBe(67108864)
      expect(problemOf(size(kib), 'info', 'CFG039', at)).toMatchObject({ line: 5, column: 23, message })
    })

    test('a whole number', () => {
      errorOf(size(1.5), 'CFG022', at)
      errorOf(size('64'), 'CFG022', at)
      errorOf(size(2147483648), 'CFG023', at)
    })

    test.each([
      [{ 'v2ray.ray.buffer.size': '2' }, 2 * 1024 * 1024],
      [{ V2RAY_RAY_BUFFER_SIZE: '2' }, 2 * 1024 * 1024],
      [{ XRAY_RAY_BUFFER_SIZE: '0' }, 64 * 1024 * 1024],
      [{ XRAY_RAY_BUFFER_SIZE: '500' }, 64 * 1024 * 1024],
    ])('%j in the environment is the default of every level', (env, bytes) => {
      const { levels, unlisted } = quietConfigOf(
        load({ policy: { levels: { '0': {}, '1': { bufferSize: 8 } } } }, { env }),
      ).policy
      expect([levels.get(0)?.bufferSize, levels.get(1)?.bufferSize, unlisted?.bufferSize]).toEqual([bytes, 8192, bytes])
    })

    test('something else in the environment is said and passed over', () => {
      const result = load({ policy: { levels: { '0': {} } } }, { env: { XRAY_RAY_BUFFER_SIZE: 'much' } })
      expect(bytesOf(result)).toBe(524288)
      expect(warningOf(result, 'CFG026', 'policy').message).toContain('XRAY_RAY_BUFFER_SIZE is "much"')
    })
  })

  test('overrideAccessLogDest has no effect', () => {
    warningOf(file({ system: { overrideAccessLogDest: true } }), 'CFG030', 'policy.system.overrideAccessLogDest')
  })
})

test('stats: an object or null, which changes nothing', () => {
  quietConfigOf(load({ stats: {} }))
  quietConfigOf(load({ stats: null }))
  errorOf(load({ stats: [] }), 'CFG022', 'stats')
})

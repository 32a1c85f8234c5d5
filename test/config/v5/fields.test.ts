/** V2Ray 5's own format: how it is told, how strict it is, and what is said of the usual mistakes. */
import { describe, expect, test } from 'vitest'
import type { LoadResult } from '../../../src/config/load.ts'
import { codesOf, configOf, errorOf, load, problemOf, quietConfigOf, warningOf } from '../helpers.ts'

const uuid = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'
const base = { inbounds: [{ listen: '127.0.0.1', port: 1, protocol: 'socks' }], outbounds: [{ protocol: 'freedom' }] }
const v5 = (value: object): LoadResult => load(value, { format: 'jsonv5' })
const out = (outbound: object): LoadResult => v5({ ...base, outbounds: [outbound] })
const stream = (streamSettings: object): LoadResult =>
  out({ protocol: 'vmess', settings: { address: 'a.example', port: 443, uuid }, streamSettings })
const rule = (value: object): LoadResult => v5({ ...base, router: { rule: [value] } })

describe('which format it is', () => {
  test.each([
    ['router', { ...base, router: {} }, 'router'],
    ['dns.nameServer', { ...base, dns: { nameServer: [] } }, 'dns.nameServer'],
    ['log.error', { ...base, log: { error: { type: 'Console', level: 'Warning' } } }, 'log.error'],
    ['services', { ...base, services: { stats: {} } }, 'services.stats'],
    [
      'socketSettings',
      { ...base, outbounds: [{ protocol: 'freedom', streamSettings: { socketSettings: {} } }] },
      'outbounds[0].streamSettings.socketSettings',
    ],
  ])('is told by %s', (_, value, path) => {
    expect(problemOf(load(value), 'info', 'CFG041', path).message).toContain('"-format jsonv5"')
  })

  test('keys of both are one too many', () => {
    const mixed = { ...base, routing: {}, router: {} }
    expect(errorOf(load(mixed), 'CFG041', 'router').message).toContain('"routing"')
  })

  test('a file without a sign is read as V2Ray 4’s', () => {
    quietConfigOf(load(base))
  })
})

describe('strictness', () => {
  test('a misspelt key is an error, under its own path and place', () => {
    const problem = errorOf(
      stream({ transport: 'ws', transportSettings: { pth: '/ray' } }),
      'CFG040',
      'outbounds[0].streamSettings.transportSettings.pth',
    )
    expect(problem).toMatchObject({ hint: 'did you mean "path"?' })
    expect(problem.line).toBeGreaterThan(1)
  })

  test('values that fit nowhere are named by the spelling of the file', () => {
    errorOf(
      out({ protocol: 'vmess', settings: { address: 'a.example', port: 'x', uuid } }),
      'CFG022',
      'outbounds[0].settings.port',
    )
    errorOf(
      out({ protocol: 'vmess', settings: { address: 'a.example', port: 70_000, uuid } }),
      'CFG023',
      'outbounds[0].settings.port',
    )
    errorOf(
      out({
        protocol: 'vmess',
        settings: { address: 'a.example', port: 1, uuid: 'no id, but longer than thirty letters' },
      }),
      'CFG051',
      'outbounds[0].settings.uuid',
    )
  })

  test.each([
    [{ ...base, routing: {} }, 'routing', '"routing" is called "router" here'],
    [{ ...base, policy: {} }, 'policy', '"policy" is called "services.policy" here'],
    [
      { ...base, services: { observatory: {} } },
      'services.observatory',
      'write "backgroundObservatory" or "burstObservatory"',
    ],
  ])('a key of the other format: %j', (value, path, hint) => {
    expect(errorOf(v5(value), 'CFG040', path).hint).toBe(hint)
  })

  test.each([
    [stream({ network: 'ws' }), 'outbounds[0].streamSettings.network', '"network" is called "transport" here'],
    [rule({ outboundTag: 'a' }), 'router.rule[0].outboundTag', '"outboundTag" is called "tag" here'],
    [rule({ ip: [] }), 'router.rule[0].ip', '"ip" is called "geoip" here'],
    [
      out({ protocol: 'freedom', settings: { domainStrategy: 'UseIP' } }),
      'outbounds[0].settings.domainStrategy',
      'write it beside "protocol"',
    ],
  ])('a key of the other format, deeper', (result, path, hint) => {
    expect(errorOf(result, 'CFG040', path).hint).toBe(hint)
  })

  test('keys below the outer objects keep their letter case, those above do not', () => {
    errorOf(stream({ transport: 'ws', transportSettings: { Path: '/' } }), 'CFG040')
    configOf(v5({ INBOUNDS: base.inbounds, Outbounds: base.outbounds }))
    configOf(stream({ Transport: 'ws', transportSettings: { max_early_data: 1 } }))
  })
})

describe('words', () => {
  test.each([
    [{ ...base, log: { error: { type: 'Console', level: 'warning' } } }, 'log.error.level', 'write "Warning"'],
    [{ ...base, dns: { queryStrategy: 'UseIPv4' } }, 'dns.queryStrategy', 'write "USE_IP4"'],
    [{ ...base, router: { domainStrategy: 'IPIfNonMatch' } }, 'router.domainStrategy', 'write "IpIfNonMatch"'],
  ])('%j', (value, path, hint) => {
    expect(errorOf(v5(value), 'CFG025', path).hint).toBe(hint)
  })

  test('transports and security', () => {
    expect(errorOf(stream({ transport: 'websocket' }), 'CFG025').hint).toBe('write "ws"')
    errorOf(stream({ transport: 'meek' }), 'CFG033')
    expect(errorOf(stream({ security: 'TLS' }), 'CFG025').hint).toBe('write "tls"')
    warningOf(stream({ securitySettings: {} }), 'CFG030', 'outbounds[0].streamSettings.securitySettings')
    errorOf(stream({ security: 'tls', securitySettings: { allowInsecure: true } }), 'CFG034')
    expect(errorOf(out({ protocol: 'VMess' }), 'CFG025', 'outbounds[0].protocol').hint).toBe('write "vmess"')
    errorOf(out({ protocol: '#v2ray.core.proxy.trojan.ClientConfig' }), 'CFG034', 'outbounds[0].protocol')
  })

  test('a number stands for a word', () => {
    expect(
      configOf(v5({ ...base, dns: { queryStrategy: 1, nameServer: [{ address: { address: 'localhost' } }] } })),
    ).toBeDefined()
  })
})

describe('log', () => {
  test('without a word access is off and errors go to the console', () => {
    expect(quietConfigOf(v5(base)).log).toMatchObject({ access: 'none', error: '', level: 'warning' })
  })

  test('a level that is missing', () => {
    warningOf(v5({ ...base, log: { error: { type: 'Console' } } }), 'CFG026', 'log.error')
    errorOf(v5({ ...base, log: { access: { type: 'File' } } }), 'CFG024', 'log.access.path')
  })
})

describe('conditions', () => {
  test('as the other format writes them', () => {
    expect(errorOf(rule({ tag: 'a', domain: ['domain:x.example'] }), 'CFG022').hint).toBe(
      'write { "type": "RootDomain", "value": "x.example" }',
    )
    expect(errorOf(rule({ tag: 'a', geoip: ['geoip:cn'] }), 'CFG022').hint).toBe('write { "code": "cn" }')
    expect(errorOf(rule({ tag: 'a', portList: 443 }), 'CFG022').hint).toBe('write "portList": "443"')
  })

  test('blocks', () => {
    const cidr = (value: object) => rule({ tag: 'a', geoip: [{ cidr: [value] }] })
    expect(errorOf(cidr({ ipAddr: '192.0.2.0/24' }), 'CFG028').hint).toBe('write "ipAddr": "192.0.2.0", "prefix": 24')
    expect(errorOf(cidr({ ipAddr: '192.0.2.0' }), 'CFG024').message).toContain('every address')
  })

  test('balancers in camel case are read, though V2Ray would not', () => {
    const router = { balancingRule: [{ tag: 'b', outboundSelector: ['x'], fallback_tag: 'direct' }], rule: [] }
    warningOf(v5({ ...base, router }), 'CFG021', 'router.balancingRule[0].outboundSelector')
  })
})

describe('name servers', () => {
  const server = (value: object) => v5({ ...base, dns: { nameServer: [value] } })
  test('what V2Ray would make of it', () => {
    expect(errorOf(server({ address: '192.0.2.53' }), 'CFG022').hint).toBe(
      'write { "address": "192.0.2.53", "port": 53 }',
    )
    errorOf(server({}), 'CFG024')
    warningOf(server({ address: { address: '192.0.2.53' } }), 'CFG026', 'dns.nameServer[0].address')
  })
})

test('dokodemo-door without networks, and a wrong user', () => {
  const inbound = (value: object) => v5({ ...base, inbounds: [{ listen: '127.0.0.1', port: 1, ...value }] })
  errorOf(inbound({ protocol: 'dokodemo-door', settings: { address: 'a', port: 1 } }), 'CFG024')
  errorOf(
    inbound({ protocol: 'vmess', settings: { users: [{ id: uuid }] } }),
    'CFG022',
    'inbounds[0].settings.users[0]',
  )
  expect(codesOf(out({ protocol: 'vmess', settings: { address: 'a', port: 1, id: uuid } }))).toContain('CFG040')
})

/** Files as strangers have them, one for each kind that real files show: what each is told, and whether it starts. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { codesOf, configOf, errorOf, load, quietConfigOf, uuid, vmessIn, warningOf, withOutbound } from './helpers.ts'

const folder = new URL('./strangers/', import.meta.url)
const loadFile = (name: string) => loadConfig([{ name, text: readFileSync(new URL(name, folder), 'utf8') }])

/** Everything that is said, errors in capitals: code and path. */
const said: Readonly<Record<string, readonly string[]>> = {
  'api-without-api.json': ['CFG121 routing.rules[0].inboundTag[0]'],
  'block.json': ['ERROR CFG124 routing.rules[0]'],
  'bridge.json': ['ERROR CFG034 reverse'],
  'dstr.json': [],
  'dup.json': ['CFG082 outbounds[1].tag'],
  'empties.json': [],
  'final.json': ['ERROR CFG033 outbounds[0].settings.finalRules'],
  'freedomdest.json': ['CFG090 outbounds[0].settings.redirect'],
  'leak.json': ['ERROR CFG124 routing.rules[0]'],
  'netempty.json': ['ERROR CFG100 inbounds[0].streamSettings.network'],
  'notag.json': ['CFG032 routing', 'CFG121 routing.rules[0].outboundTag'],
  'portal.json': ['ERROR CFG034 reverse', 'CFG032 routing'],
  'secauto.json': ['CFG101 inbounds[0].streamSettings.security'],
  'v5log.json': ['CFG041 inbounds[0].streamSettings.transport'],
  'v5srv.json': ['CFG041 inbounds[0].streamSettings.transport'],
  'v5ws.json': ['CFG041 outbounds[0].streamSettings.transport'],
}

test('every file is listed', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(said))
})

test.each(Object.entries(said))('%s', (name, expected) => {
  const { problems, config } = loadFile(name)
  const found = problems.map(({ severity, code, path }) => `${severity === 'error' ? 'ERROR ' : ''}${code} ${path}`)
  expect(found).toEqual(expected)
  expect(config === undefined).toBe(expected.some((line) => line.startsWith('ERROR')))
})

describe('rules that protect', () => {
  const proxy = {
    tag: 'proxy',
    protocol: 'vmess',
    settings: { vnext: [{ address: 'a.example', port: 443, users: [{ id: uuid }] }] },
  }
  const ways = { direct: { tag: 'direct', protocol: 'freedom' }, block: { tag: 'block', protocol: 'blackhole' }, proxy }
  const file = (order: readonly (keyof typeof ways)[], rules: readonly object[], rest: object = {}) => ({
    ...vmessIn({ clients: [{ id: uuid }] }, { tag: 'in' }),
    outbounds: order.map((name) => ways[name]),
    routing: { rules },
    ...rest,
  })
  const blocking = (rule: object) => load(file(['direct', 'block'], [{ outboundTag: 'block', ...rule }]))
  const reachable = 'this rule is not applied in this version: what it blocks would be reachable'
  const unencrypted =
    'this rule is not applied in this version: what it sends through "proxy" would leave unencrypted, by the first outbound'

  test.each([
    { ip: ['10.0.0.0/8'] },
    { port: 25 },
    { network: 'udp' },
    { network: 'tcp,udp' },
    { source: ['10.0.0.0/8'] },
    { sourceIP: '10.0.0.0/8' },
    { sourcePort: '1-1023' },
    { localIP: ['127.0.0.1'] },
    { localPort: 80 },
    { user: ['guest@a.example'] },
    { inboundTag: ['in'] },
    { inboundTag: ['in', 'gone'] },
    { ip: ['geoip:private'], port: 22 },
    { port: 25, outboundTag: 'nobody' },
  ])('that block by %j end the start', (rule) => {
    const problem = errorOf(blocking(rule), 'CFG124', 'routing.rules[0]')
    expect(problem.message).toBe(reachable)
    expect(problem.hint).toContain('--allow-unapplied-rules')
  })

  test.each([
    { domain: ['geosite:category-ads'] },
    { domains: 'ads.example' },
    { domain: ['ads.example'], port: 443 },
    { domain: ['ads.example'], inboundTag: ['in'] },
    { protocol: ['bittorrent'] },
    { protocol: 'bittorrent', ip: [] },
    { attrs: { ':method': 'CONNECT' } },
  ])('that block %j keep their warning', (rule) => {
    expect(codesOf(blocking(rule))).toEqual(['CFG032'])
  })

  test('block behind a proxy too', () => {
    errorOf(load(file(['proxy', 'block'], [{ ip: ['geoip:private'], outboundTag: 'block' }])), 'CFG124')
  })

  test.each([
    { network: 'tcp,udp' },
    { domain: ['a.example'] },
    { ip: ['1.1.1.1'] },
    { user: 'a@b' },
  ])('that lead from a direct way to a proxy by %j end the start', (rule) => {
    const problem = errorOf(load(file(['direct', 'proxy'], [{ ...rule, outboundTag: 'proxy' }])), 'CFG124')
    expect(problem.message).toBe(unencrypted)
  })

  test('by a balancer as well', () => {
    const rules = [{ network: 'tcp', balancerTag: 'b' }]
    const balanced = (selector: string[], extra: object = {}) =>
      load({ ...file(['direct', 'proxy'], []), routing: { rules, balancers: [{ tag: 'b', selector, ...extra }] } })
    errorOf(balanced(['pro']), 'CFG124')
    errorOf(balanced(['x'], { fallbackTag: 'proxy' }), 'CFG124')
    expect(codesOf(balanced(['dir']))).toEqual(['CFG032'])
  })

  test.each([
    ['the proxy is first', ['proxy', 'direct'], [{ network: 'tcp', outboundTag: 'direct' }]],
    ['the proxy is first, and named', ['proxy', 'direct'], [{ network: 'tcp,udp', outboundTag: 'proxy' }]],
    [
      'nothing leaves anyway',
      ['block', 'proxy'],
      [
        { port: 1, outboundTag: 'proxy' },
        { ip: '::1', outboundTag: 'block' },
      ],
    ],
  ] as const)('not where nothing is lost: %s', (_title, order, rules) => {
    expect(codesOf(load(file(order, rules)))).toEqual(['CFG032'])
  })

  test('not behind a rule that takes everything', () => {
    const all = { network: 'tcp,udp', outboundTag: 'direct' }
    const rules = [all, { ip: ['geoip:private'], outboundTag: 'block' }]
    expect(codesOf(load(file(['direct', 'block'], rules)))).toEqual(['CFG032'])
    errorOf(load(file(['direct', 'block'], [rules[1]!, all])), 'CFG124', 'routing.rules[0]')
  })

  test('not where the rule never matches', () => {
    const result = load(file(['direct', 'block'], [{ inboundTag: ['gone'], port: 1, outboundTag: 'block' }]))
    expect(codesOf(result)).toEqual(['CFG121'])
  })

  test('are warnings where the file or the option says so', () => {
    const rules = [{ ip: ['geoip:private'], outboundTag: 'block' }]
    const byFile = load(file(['direct', 'block'], rules, { allowUnappliedRules: true }))
    const byOption = load(file(['direct', 'block'], rules), { allowUnappliedRules: true })
    for (const result of [byFile, byOption]) {
      expect(configOf(result)).toBeDefined()
      expect(warningOf(result, 'CFG124', 'routing.rules[0]').message).toContain(reachable)
      expect(codesOf(result)).toEqual(['CFG124'])
    }
    errorOf(load(file(['direct', 'block'], rules, { allowUnappliedRules: false })), 'CFG124')
  })
})

describe('an empty value is an absent one', () => {
  const inbound = (value: Readonly<Record<string, unknown>>) => ({ ...vmessIn({ clients: [{ id: uuid }] }, value) })
  test.each([
    ['log.loglevel', { ...inbound({}), log: { loglevel: '', access: 'none' } }],
    ['log.maskAddress', { ...inbound({}), log: { maskAddress: '' } }],
    ['routing', { ...inbound({}), routing: { domainStrategy: '', domainMatcher: '', rules: [], settings: {} } }],
    ['sections', { ...inbound({}), routing: {}, dns: {}, policy: {}, stats: {}, reverse: {}, transport: {}, env: {} }],
    ['security', inbound({ streamSettings: { security: '', sockopt: {}, realitySettings: {}, rawSettings: {} } })],
    [
      'TLS words',
      withOutbound({ protocol: 'freedom', streamSettings: { security: 'tls', tlsSettings: { minVersion: '' } } }),
    ],
    ['freedom', withOutbound({ protocol: 'freedom', settings: { domainStrategy: '', redirect: '' } })],
    ['blackhole', withOutbound({ protocol: 'blackhole', settings: { response: { type: '' } } })],
    ['mux', withOutbound({ protocol: 'freedom', mux: { xudpProxyUDP443: '' }, packetEncoding: '' })],
  ])('%s', (_title, value) => {
    quietConfigOf(load(value))
  })

  test('in a local proxy', () => {
    const auth = { listen: '127.0.0.1', port: 1, protocol: 'socks', settings: { auth: '', accounts: [] } }
    const door = { listen: '127.0.0.1', port: 2, protocol: 'dokodemo-door', settings: { network: '', port: 1 } }
    quietConfigOf(load({ inbounds: [auth, door], outbounds: [{ protocol: 'freedom' }] }))
  })
})

describe('one tag twice', () => {
  test('the last outbound has it, the first stays the default', () => {
    expect(configOf(loadFile('dup.json')).outbounds).toMatchObject([
      { tag: '', protocol: 'freedom' },
      { tag: 'a', protocol: 'blackhole' },
    ])
  })

  test('inbounds share it', () => {
    const inbound = (port: number) => ({ tag: 'x', listen: '127.0.0.1', port, protocol: 'http' })
    const result = load({ inbounds: [inbound(1), inbound(2)], outbounds: [{ protocol: 'freedom' }] })
    expect(codesOf(result)).toEqual(['CFG082'])
    expect(configOf(result).inbounds.map(({ tag }) => tag)).toEqual(['x', 'x'])
  })
})

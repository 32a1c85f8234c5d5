/** Files as strangers have them, one for each kind that real files show: what each is told, and whether it starts. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { codesOf, configOf, load, quietConfigOf, uuid, vmessIn, warningOf, withOutbound } from './helpers.ts'

const folder = new URL('./strangers/', import.meta.url)
const loadFile = (name: string) => loadConfig([{ name, text: readFileSync(new URL(name, folder), 'utf8') }])

/** Everything that is said, errors in capitals: code and path. */
const said: Readonly<Record<string, readonly string[]>> = {
  'api-without-api.json': ['CFG121 routing.rules[0].inboundTag[0]'],
  'block.json': ['CFG125 routing.rules[0].ip'],
  'bridge.json': [],
  'dstr.json': [],
  'dup.json': ['CFG082 outbounds[1].tag'],
  'empties.json': [],
  'final.json': [],
  'freedomdest.json': ['CFG090 outbounds[0].settings.redirect'],
  'leak.json': [],
  'netempty.json': ['ERROR CFG100 inbounds[0].streamSettings.network'],
  'notag.json': ['CFG123 routing.rules[0].protocol', 'CFG121 routing.rules[0].outboundTag'],
  'portal.json': [],
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
  const ways = [
    { tag: 'direct', protocol: 'freedom' },
    { tag: 'block', protocol: 'blackhole' },
  ]
  const file = (rule: object) => ({
    ...vmessIn({ clients: [{ id: uuid }] }, { tag: 'in' }),
    outbounds: ways,
    routing: { domainStrategy: 'IPOnDemand', rules: [{ outboundTag: 'block', ...rule }] },
  })

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
    { inboundTag: ['in'] },
    { ip: ['geoip:private'], port: 22 },
    { domain: ['geosite:category-ads'] },
    { attrs: { ':method': 'CONNECT' } },
  ])('start, because they hold: %j', (rule) => {
    expect(quietConfigOf(load(file(rule))).routing!.rules).toHaveLength(1)
  })

  test('to an outbound that does not exist warn', () => {
    const result = load(file({ port: 25, outboundTag: 'nobody' }))
    expect(warningOf(result, 'CFG121', 'routing.rules[0].outboundTag').message).toContain('is blocked')
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

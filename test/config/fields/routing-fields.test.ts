/** routing: one test per row of its tables. */
import { describe, expect, test } from 'vitest'
import { configOf, errorOf, load, quietConfigOf, uuid, vmessIn, warningOf } from '../helpers.ts'

const routing = (value: object, rest: object = {}) =>
  load({
    ...vmessIn({ clients: [{ id: uuid }] }, { tag: 'in' }),
    outbounds: [
      { tag: 'direct', protocol: 'freedom' },
      { tag: 'block', protocol: 'blackhole' },
    ],
    routing: value,
    ...rest,
  })
const rule = (value: object, rest?: object) => routing({ rules: [{ outboundTag: 'block', ...value }] }, rest)
const at = (key: string) => `routing.rules[0].${key}`

describe('routing', () => {
  test('no rules, no warning', () => {
    quietConfigOf(routing({ domainStrategy: 'IPIfNonMatch', rules: [] }))
  })

  test('domainStrategy', () => {
    for (const domainStrategy of ['asis', 'ip_if_non_match', 'IPOnDemand', 'AlwaysIP'])
      quietConfigOf(routing({ domainStrategy }))
    expect(warningOf(routing({ domainStrategy: 'IPIfNoMatch' }), 'CFG026', 'routing.domainStrategy').hint).toBe(
      'did you mean "IPIfNonMatch"?',
    )
  })

  test('the old nesting', () => {
    const result = routing({
      strategy: 'rules',
      settings: { domainStrategy: 'IPOnDemand', rules: [{ network: 'tcp', outboundTag: 'x' }] },
    })
    warningOf(result, 'CFG121', 'routing.settings.rules[0].outboundTag')
    expect(configOf(result).routing).toMatchObject({ domainStrategy: 'IPOnDemand', rules: [{ networks: ['tcp'] }] })
  })

  test('type: field or absent', () => {
    quietConfigOf(rule({ type: 'Field', domain: ['full:a.b'] }))
    quietConfigOf(rule({ type: '', domain: ['full:a.b'] }))
    errorOf(rule({ type: 'chinaip', network: 'tcp' }), 'CFG025', at('type'))
  })

  test('a rule needs a condition and a target', () => {
    errorOf(rule({}), 'CFG120', 'routing.rules[0]')
    errorOf(rule({ ip: [], domain: '', attrs: {} }), 'CFG120', 'routing.rules[0]')
    errorOf(routing({ rules: [{ network: 'tcp' }] }), 'CFG120', 'routing.rules[0]')
  })

  test('outboundTag and balancerTag must exist; the API is an outbound', () => {
    expect(warningOf(rule({ domain: 'a.b', outboundTag: 'blok' }), 'CFG121', at('outboundTag')).hint).toBe(
      'did you mean "block"?',
    )
    expect(warningOf(rule({ domain: 'a.b', outboundTag: 'elsewhere' }), 'CFG121').hint).toBe(
      'there is "direct" or "block"',
    )
    errorOf(routing({ rules: [{ network: 'tcp', balancerTag: 'b' }] }), 'CFG121', at('balancerTag'))
    expect(rule({ network: 'tcp', outboundTag: 'api' }, { api: { tag: 'api', services: [] } }).config).toBeDefined()
  })

  test.each([
    {
      domain: [
        'google',
        'keyword:x',
        'domain:a.b',
        'full:a.b',
        'regexp:\\.cn$',
        'regexp:(?i)^x(?P<n>y)',
        'dotless:',
        'geosite:cn@ads',
        'ext:f.dat:l@a',
      ],
    },
    { domains: 'a.b,c.d' },
    { ip: ['10.0.0.1', '10.0.0.0/8', '::1', 'fc00::/7', 'geoip:cn', 'geoip:!cn', 'ext:f.dat:cn', '!10.0.0.0/8'] },
    { port: '53, 443, 1000-2000' },
    { sourcePort: 53 },
    { localPort: '1-2' },
    { network: 'tcp,udp' },
    { source: ['10.0.0.0/8'] },
    { sourceIP: 'geoip:private' },
    { localIP: ['127.0.0.1'] },
    { user: ['a@b', 'regexp:^a'] },
    { inboundTag: ['in'] },
    { protocol: ['http', 'tls', 'bittorrent'] },
    { attrs: { ':method': 'GET' } },
    { attrs: "attrs[':path'].startswith('/x')" },
    { attrs: "'accept' in attrs" },
    { network: 'tcp', ruleTag: 'name', domainMatcher: 'mph' },
  ])('%j', (value) => {
    configOf(rule({ outboundTag: 'direct', ...value }))
  })

  test.each([
    [{ domain: ['regexp:('] }, 'CFG122', 'domain[0]'],
    [{ domain: ['regexp:(?=x)'] }, 'CFG122', 'domain[0]'],
    [{ domain: ['dotless:a.b'] }, 'CFG122', 'domain[0]'],
    [{ domain: ['ext:f'] }, 'CFG122', 'domain[0]'],
    [{ domain: ['geoip:cn'] }, 'CFG122', 'domain[0]'],
    [{ domain: ['geosite:cn@'] }, 'CFG122', 'domain[0]'],
    [{ ip: ['10.0.0.0/33'] }, 'CFG122', 'ip[0]'],
    [{ ip: 'a.example' }, 'CFG122', 'ip'],
    [{ ip: ['geosite:cn'] }, 'CFG122', 'ip[0]'],
    [{ port: '100-50' }, 'CFG029', 'port'],
    [{ port: 65536 }, 'CFG023', 'port'],
    [{ port: '65536' }, 'CFG029', 'port'],
    [{ user: ['regexp:('] }, 'CFG122', 'user[0]'],
    [{ attrs: 'attrs.x > 5' }, 'CFG122', 'attrs'],
    [{ attrs: { a: '(' } }, 'CFG122', 'attrs.a'],
    [{ network: 'tcp', process: ['curl'] }, 'CFG031', 'process'],
    [{ network: 'tcp', localOS: 'linux' }, 'CFG031', 'localOS'],
    [{ network: 'tcp', vlessRoute: 5 }, 'CFG031', 'vlessRoute'],
    [{ network: 'tcp', webhook: { url: 'x' } }, 'CFG031', 'webhook'],
  ])('%j is an error', (value, code, key) => {
    errorOf(rule(value), code, at(key))
  })

  test('what never matches, or more than it says, warns', () => {
    const direct = (value: object) => rule({ outboundTag: 'direct', ...value })
    warningOf(direct({ port: 0 }), 'CFG123', at('port'))
    warningOf(direct({ ip: ['geoip:!cn', 'geoip:!us'] }), 'CFG123', at('ip'))
    warningOf(direct({ network: 'sctp' }), 'CFG026', at('network'))
    expect(warningOf(rule({ inboundTag: ['im'] }), 'CFG121', at('inboundTag[0]')).hint).toBe('did you mean "in"?')
    const dns = { dns: { tag: 'dns-in' } }
    quietConfigOf(rule({ inboundTag: ['dns-in'], outboundTag: 'direct' }, dns))
  })

  test('balancers', () => {
    const balancer = (value: object) => routing({ balancers: [{ tag: 'b', selector: ['di'], ...value }] })
    quietConfigOf(balancer({}))
    quietConfigOf(balancer({ strategy: { type: 'roundRobin' }, fallbackTag: 'direct' }))
    errorOf(balancer({ tag: '' }), 'CFG024', 'routing.balancers[0].tag')
    errorOf(balancer({ selector: [] }), 'CFG024', 'routing.balancers[0].selector')
    errorOf(balancer({ strategy: { type: 'leastPing' } }), 'CFG031', 'routing.balancers[0].strategy.type')
    errorOf(balancer({ strategy: { type: 'rondom' } }), 'CFG025', 'routing.balancers[0].strategy.type')
    errorOf(balancer({ fallbackTag: 'x' }), 'CFG121', 'routing.balancers[0].fallbackTag')
    warningOf(balancer({ selector: ['zz'] }), 'CFG121', 'routing.balancers[0].selector')
    quietConfigOf(routing({ balancers: [{ tag: 'b', selector: 'di' }], rules: [{ network: 'tcp', balancerTag: 'b' }] }))
  })
})

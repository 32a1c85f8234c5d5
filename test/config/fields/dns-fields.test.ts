/** dns, fakedns and the dns outbound: one test per row of their tables. */
import { describe, expect, test } from 'vitest'
import { codesOf, configOf, errorOf, load, quietConfigOf, warningOf } from '../helpers.ts'

const dns = (value: object, more: object = {}) => load({ dns: value, ...more })
const serversOf = (value: object) => quietConfigOf(dns(value)).dns!.servers

describe('dns.servers', () => {
  test.each([
    ['8.8.8.8', 'udp', '8.8.8.8', 53, false],
    ['2001:DB8::1', 'udp', '2001:db8::1', 53, false],
    ['tcp://1.1.1.1:5353', 'tcp', '1.1.1.1', 5353, false],
    ['TCP+local://a', 'tcp', 'a', 53, true],
    ['https://1.1.1.1/dns-query', 'https', '1.1.1.1', 443, false],
    ['https+local://a:8443/b?c', 'https', 'a', 8443, true],
    ['h2c://[::1]:80/x', 'h2c', '::1', 80, false],
    ['localhost', 'localhost', '', 0, true],
  ])('%s', (written, kind, host, port, local) => {
    expect(serversOf({ servers: [written] })[0]).toMatchObject({ kind, address: { host, port }, local })
    expect(serversOf({ servers: [{ address: written, skipFallback: true }] })[0]).toMatchObject({
      kind,
      skipFallback: true,
    })
  })

  test('the path of a URL', () => {
    expect(serversOf({ servers: ['https+local://a/b?c'] })[0]!.path).toBe('/b?c')
  })

  test('without any the system is asked', () => {
    expect(serversOf({})).toMatchObject([{ kind: 'localhost' }])
    expect(quietConfigOf(load({})).dns).toBeUndefined()
  })

  test('what cannot be', () => {
    expect(errorOf(dns({ servers: ['quic+local://a'] }), 'CFG034', 'dns.servers[0]').hint).toContain('https://')
    errorOf(dns({ servers: ['udp://1.1.1.1'] }), 'CFG028', 'dns.servers[0]')
    expect(errorOf(dns({ servers: ['htps://a'] }), 'CFG028', 'dns.servers[0]').hint).toBe('did you mean "https"?')
    errorOf(dns({ servers: ['https://'] }), 'CFG028', 'dns.servers[0]')
    errorOf(dns({ servers: [{ port: 53 }] }), 'CFG024', 'dns.servers[0]')
    errorOf(dns({ servers: [{ address: 'a', port: '53' }] }), 'CFG022', 'dns.servers[0].port')
    errorOf(dns({ servers: [{ address: '1.1.1.1', domains: ['regexp:('] }] }), 'CFG122', 'dns.servers[0].domains')
    errorOf(dns({ servers: [{ address: '1.1.1.1', expectIPs: ['x'] }] }), 'CFG122', 'dns.servers[0].expectIPs')
  })

  test('a port behind an address, and a name', () => {
    const result = dns({ servers: ['8.8.8.8:5353'] })
    expect(warningOf(result, 'CFG028', 'dns.servers[0]').hint).toBe('write { "address": "8.8.8.8", "port": 5353 }')
    expect(configOf(result).dns!.servers[0]!.address).toEqual({ host: '8.8.8.8', port: 5353 })
    warningOf(dns({ servers: ['dns.example'] }), 'CFG028', 'dns.servers')
    quietConfigOf(dns({ servers: ['dns.example'], hosts: { 'dns.example': '192.0.2.1' } }))
  })

  test('a server has what all have, unless it says otherwise', () => {
    const list = serversOf({
      clientIp: '198.51.100.7',
      queryStrategy: 'use_ipv4',
      tag: 'q',
      servers: [
        '1.1.1.1',
        { address: '1.0.0.1', clientIp: ' 203.0.113.1 ', tag: 'one', queryStrategy: 'UseIP', timeoutMs: 100 },
      ],
    })
    expect(list[0]).toMatchObject({ clientIp: '198.51.100.7', families: 'ipv4', tag: 'q', timeoutMs: 4000 })
    expect(list[1]).toMatchObject({ clientIp: '203.0.113.1', families: 'both', tag: 'one', timeoutMs: 100 })
    errorOf(dns({ clientIp: 'a.example' }), 'CFG028', 'dns.clientIp')
    warningOf(dns({ queryStrategy: 'UseIPv5' }), 'CFG026', 'dns.queryStrategy')
  })

  test('expectedIPs is the newer name', () => {
    const [first] = serversOf({
      servers: [{ address: '1.1.1.1', expectIPs: ['10.0.0.0/8'], expectedIPs: ['*', '1.0.0.0/8'] }],
    })
    expect(first!.expected).toMatchObject({ rules: [{ kind: 'block', prefix: 8 }], mild: true })
  })
})

test('dns.hosts', () => {
  const { hosts } = quietConfigOf(
    dns({ hosts: { 'domain:a': '1.1.1.1', b: ['::1', '10.0.0.1'], c: 'D.example', e: '#3' } }),
  ).dns!
  expect(hosts).toEqual([
    { rule: { kind: 'domain', value: 'a' }, addresses: ['1.1.1.1'] },
    { rule: { kind: 'full', value: 'b' }, addresses: ['::1', '10.0.0.1'] },
    { rule: { kind: 'full', value: 'c' }, addresses: [], alias: 'd.example' },
    { rule: { kind: 'full', value: 'e' }, addresses: [], rcode: 3 },
  ])
  errorOf(dns({ hosts: { 'regexp:(': '1.1.1.1' } }), 'CFG122')
  errorOf(dns({ hosts: { a: 5 } }), 'CFG022', 'dns.hosts.a')
})

describe('fakedns', () => {
  const inbounds = [
    {
      protocol: 'socks',
      listen: '127.0.0.1',
      port: 1080,
      sniffing: { enabled: true, destOverride: ['fakedns'] },
    },
  ]
  const outbounds = [{ protocol: 'freedom' }]
  const fake = (fakedns?: object) =>
    load({ dns: { servers: ['fakedns'] }, inbounds, outbounds, ...(fakedns && { fakedns }) })

  test('pools', () => {
    expect(quietConfigOf(fake()).fakePools).toEqual([
      { base: '198.18.0.0', prefix: 15, size: 32_768 },
      { base: 'fc00::', prefix: 18, size: 32_768 },
    ])
    expect(quietConfigOf(fake({ ipPool: '198.18.4.0/24', poolSize: 100 })).fakePools).toHaveLength(1)
    expect(quietConfigOf(load({ fakedns: [{ ipPool: '198.18.0.0/15' }] })).fakePools).toEqual([])
    errorOf(fake({ ipPool: '198.18.4.0/29', poolSize: 8 }), 'CFG023', 'fakedns.poolSize')
    errorOf(fake({ ipPool: 'x/8' }), 'CFG028', 'fakedns.ipPool')
    errorOf(fake([{}]), 'CFG024', 'fakedns[0]')
  })

  test('made-up addresses lead nowhere without an inbound that knows them', () => {
    expect(errorOf(load({ dns: { servers: ['fakedns'] } }), 'CFG143', 'dns.servers').hint).toContain('destOverride')
  })
})

describe('the dns outbound', () => {
  const outbound = (settings: object) => load({ outbounds: [{ protocol: 'dns', settings }] })
  const of = (settings: object) => quietConfigOf(outbound(settings)).outbounds[0]!.settings

  test('what becomes of other types', () => {
    expect(of({})).toMatchObject({ others: { action: 'return', rcode: 0 }, rules: [], to: { host: '', port: 0 } })
    expect(of({ nonIPQuery: 'reject' })).toMatchObject({ others: { action: 'return', rcode: 5 } })
    expect(of({ nonIPQuery: 'skip', blockTypes: [65] })).toMatchObject({
      others: { action: 'direct' },
      rules: [{ action: 'drop', types: [[65, 65]] }],
    })
    errorOf(outbound({ nonIPQuery: 'x' }), 'CFG025', 'outbounds[0].settings.nonIPQuery')
  })

  test('rules', () => {
    expect(of({ rules: [{ action: 'direct', qType: '16,1-2', domain: ['a'] }] })).toMatchObject({
      rules: [
        {
          action: 'direct',
          types: [
            [16, 16],
            [1, 2],
          ],
          domains: ['a'],
        },
      ],
    })
    errorOf(outbound({ rules: [{ action: 'direct', qType: 'A' }] }), 'CFG028', 'outbounds[0].settings.rules[0].qType')
    errorOf(outbound({ rules: [{}] }), 'CFG024', 'outbounds[0].settings.rules[0]')
    errorOf(outbound({ rules: [{ action: 'drop' }], nonIPQuery: 'skip' }), 'CFG035', 'outbounds[0].settings.rules')
  })

  test('where questions are passed on to', () => {
    expect(of({ address: '1.1.1.1', port: 5353, network: 'tcp' })).toMatchObject({
      to: { host: '1.1.1.1', port: 5353 },
      network: 'tcp',
    })
  })
})

test('codes', () => {
  expect(codesOf(dns({ servers: ['1.1.1.1'], fallbackStrategy: 'disabled' }))).toEqual(['CFG030'])
})

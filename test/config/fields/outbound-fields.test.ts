/** One test per row of the tables of outbounds. */
import { describe, expect, test } from 'vitest'
import { errorOf, load, outboundOf, quietConfigOf, vmessOut, warningOf, withOutbound } from '../helpers.ts'

const freedom = { protocol: 'freedom' }

describe('outbounds[]', () => {
  test('protocol: the names of Xray, and others', () => {
    const protocolOf = (protocol: string) => quietConfigOf(load(withOutbound({ protocol }))).outbounds[0]!.protocol
    expect(protocolOf('direct')).toBe('freedom')
    expect(protocolOf('Block')).toBe('blackhole')
    expect(errorOf(load(withOutbound({ protocol: 'fredom' })), 'CFG080', 'outbounds[0].protocol').hint).toBe(
      'did you mean "freedom"?',
    )
    for (const protocol of ['trojan', 'vless']) {
      errorOf(load(withOutbound({ protocol })), 'CFG034', 'outbounds[0].protocol')
    }
  })

  test('tag', () => {
    expect(quietConfigOf(load(withOutbound({ ...freedom, tag: 'out' }))).outbounds[0]).toMatchObject({
      tag: 'out',
      at: 'outbounds[0]',
    })
  })

  test.each([
    [{ enabled: true }, { streams: 8, datagrams: 'shared', udp443: 'allow' }],
    [
      { enabled: true, concurrency: 0 },
      { streams: 8, datagrams: 'shared', udp443: 'allow' },
    ],
    [
      { enabled: true, concurrency: 1024 },
      { streams: 1024, datagrams: 'shared', udp443: 'allow' },
    ],
    [
      { enabled: true, concurrency: -1 },
      { streams: 0, datagrams: 0, udp443: 'allow' },
    ],
    [
      { enabled: true, xudpConcurrency: 0 },
      { streams: 8, datagrams: 'shared', udp443: 'reject' },
    ],
    [
      { enabled: true, xudpConcurrency: 16 },
      { streams: 8, datagrams: 16, udp443: 'reject' },
    ],
    [
      { enabled: true, xudpConcurrency: -1 },
      { streams: 8, datagrams: 0, udp443: 'reject' },
    ],
    [
      { enabled: true, concurrency: -1, xudpConcurrency: 16 },
      { streams: 0, datagrams: 16, udp443: 'reject' },
    ],
    [
      { enabled: true, concurrency: -1, xudpConcurrency: 0 },
      { streams: 0, datagrams: 0, udp443: 'reject' },
    ],
    [
      { enabled: true, xudpProxyUDP443: '' },
      { streams: 8, datagrams: 'shared', udp443: 'reject' },
    ],
    [
      { enabled: true, xudpProxyUDP443: 'allow' },
      { streams: 8, datagrams: 'shared', udp443: 'allow' },
    ],
    [
      { enabled: true, xudpConcurrency: 1, xudpProxyUDP443: 'Skip' },
      { streams: 8, datagrams: 1, udp443: 'skip' },
    ],
    [{ enabled: false, concurrency: 1024, xudpConcurrency: -1, xudpProxyUDP443: 'Allow' }, undefined],
    [{ concurrency: 8 }, undefined],
  ])('mux %j', (written, means) => {
    expect(outboundOf(load(vmessOut({}, {}, { mux: written })), 'vmess').mux).toEqual(means)
    quietConfigOf(load(vmessOut({}, {}, { mux: written })))
  })

  test('mux: what makes no sense', () => {
    const mux = (value: object) => load(vmessOut({}, {}, { mux: value }))
    errorOf(mux({ enabled: false, concurrency: 1025 }), 'CFG023', 'outbounds[0].mux.concurrency')
    errorOf(mux({ xudpProxyUDP443: 'drop' }), 'CFG025', 'outbounds[0].mux.xudpProxyUDP443')
    const direct = load(withOutbound({ ...freedom, mux: { enabled: true } }))
    expect(warningOf(direct, 'CFG030', 'outbounds[0].mux.enabled').message).toContain('no server')
    quietConfigOf(load(withOutbound({ ...freedom, mux: { enabled: false, concurrency: 4 } })))
  })

  test('packetEncoding', () => {
    const out = (packetEncoding?: string) => load(vmessOut({}, {}, { packetEncoding }))
    const encodingOf = (word?: string) => outboundOf(out(word), 'vmess').packetEncoding
    expect(['None', 'packet', 'Packet', 'xudp', undefined].map(encodingOf)).toEqual([
      'none',
      'packet',
      'packet',
      'xudp',
      undefined,
    ])
    errorOf(out('packt'), 'CFG025', 'outbounds[0].packetEncoding')
    const direct = (packetEncoding: string) => load(withOutbound({ ...freedom, packetEncoding }))
    warningOf(direct('xudp'), 'CFG030', 'outbounds[0].packetEncoding')
    for (const word of ['', 'none']) quietConfigOf(direct(word))
  })

  test('targetStrategy, and domainStrategy as V2Ray 5 calls it', () => {
    const strategyOf = (outer: Record<string, unknown>) =>
      outboundOf(load(vmessOut({}, {}, outer)), 'vmess').targetStrategy
    expect(strategyOf({})).toBeUndefined()
    expect(strategyOf({ targetStrategy: 'forceipv6v4' })).toBe('ForceIPv6v4')
    expect(strategyOf({ domainStrategy: 'use_ip4' })).toBe('UseIPv4')
    expect(strategyOf({ domainStrategy: 'AsIs', targetStrategy: '' })).toBeUndefined()
    const both = load(vmessOut({}, {}, { domainStrategy: 'UseIP', targetStrategy: 'asis' }))
    warningOf(both, 'CFG035', 'outbounds[0].domainStrategy')
    expect(outboundOf(both, 'vmess').targetStrategy).toBeUndefined()
    errorOf(load(vmessOut({}, {}, { targetStrategy: 'UsIP' })), 'CFG025', 'outbounds[0].targetStrategy')
  })
})

describe('freedom and blackhole', () => {
  const file = (settings: object) => load(withOutbound({ ...freedom, settings }))
  const settingsOf = (settings: object) => outboundOf(file(settings), 'freedom').settings

  test('domainStrategy: any letter case; targetStrategy wins', () => {
    expect(settingsOf({})).toEqual({ domainStrategy: 'AsIs', level: 0 })
    for (const domainStrategy of ['useipv4', 'useip4', 'use_ip_v4', 'use-ipv4']) {
      expect(settingsOf({ domainStrategy }).domainStrategy).toBe('UseIPv4')
    }
    expect(settingsOf({ domainStrategy: 'UseIP', targetStrategy: 'ForceIPv6v4' }).domainStrategy).toBe('ForceIPv6v4')
    expect(warningOf(file({ domainStrategy: 'UsIP' }), 'CFG026', 'outbounds[0].settings.domainStrategy').hint).toBe(
      'did you mean "UseIP"?',
    )
  })

  test.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    [':80', { host: '', port: 80 }],
    ['a.example:', { host: 'a.example', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['0.0.0.0:53', { host: '', port: 53 }],
  ])('redirect: %s', (redirect, address) => {
    expect(settingsOf({ redirect }).redirect).toEqual(address)
  })

  test.each(['a.example', '::1:80', 'a:70000', 'a b:1'])('redirect: %s is an error', (redirect) => {
    errorOf(file({ redirect }), 'CFG028', 'outbounds[0].settings.redirect')
  })

  test('userLevel, timeout, and what Xray adds', () => {
    expect(settingsOf({ userLevel: 3 }).level).toBe(3)
    warningOf(file({ timeout: 9 }), 'CFG030', 'outbounds[0].settings.timeout')
    expect(outboundOf(file({ proxyProtocol: 2 }), 'freedom').settings.proxyProtocol).toBe(2)
    expect(outboundOf(file({ proxyProtocol: 0 }), 'freedom').settings).not.toHaveProperty('proxyProtocol')
    errorOf(file({ proxyProtocol: 3 }), 'CFG023', 'outbounds[0].settings.proxyProtocol')
  })

  test('fragment', () => {
    const fragment = { packets: 'tlshello', length: '100-200', interval: 10 }
    const read = (more: object) => settingsOf({ fragment: { ...fragment, ...more } }).fragment
    expect(read({})).toEqual({ packets: 'tlshello', length: { from: 100, to: 200 }, intervalMs: { from: 10, to: 10 } })
    expect(read({ packets: '1-3', maxSplit: '5-2' })).toMatchObject({
      packets: { from: 1, to: 3 },
      maxSplit: { from: 2, to: 5 },
    })
    expect(read({ packets: '', maxSplit: 0 })).toEqual({ ...read({}), packets: 'all' })
    expect(settingsOf({ fragment: {} })).not.toHaveProperty('fragment')
    const at = 'outbounds[0].settings.fragment'
    errorOf(file({ fragment: { length: 1 } }), 'CFG024', `${at}.interval`)
    for (const wrong of [{ length: 0 }, { packets: 'tls' }, { packets: '0-1' }, { interval: 'x' }]) {
      errorOf(file({ fragment: { ...fragment, ...wrong } }), 'CFG023', `${at}.${Object.keys(wrong)[0]}`)
    }
  })

  test('noises', () => {
    const read = (...noises: object[]) => settingsOf({ noises }).noises
    expect(
      read(
        { type: 'rand', packet: '10-20', delay: '10-16' },
        { type: 'str', packet: ' hi ', applyTo: 'ipv4' },
        { type: 'hex', packet: '00fF' },
        { type: 'base64', packet: '_-8=', applyTo: 'IPv6' },
      ),
    ).toEqual([
      { packet: { from: 10, to: 20 }, delayMs: { from: 10, to: 16 }, family: 0 },
      { packet: Uint8Array.of(104, 105), delayMs: { from: 0, to: 0 }, family: 4 },
      { packet: Uint8Array.of(0, 255), delayMs: { from: 0, to: 0 }, family: 0 },
      { packet: Uint8Array.of(255, 239), delayMs: { from: 0, to: 0 }, family: 6 },
    ])
    const at = 'outbounds[0].settings.noises[0]'
    errorOf(file({ noises: [{ type: 'text', packet: 'a' }] }), 'CFG025', `${at}.type`)
    errorOf(file({ noises: [{ type: 'hex', packet: 'abc' }] }), 'CFG028', `${at}.packet`)
    errorOf(file({ noises: [{ type: 'rand', packet: '0' }] }), 'CFG023', `${at}.packet`)
    errorOf(file({ noises: [{ type: 'rand', packet: '9999' }] }), 'CFG023', `${at}.packet`)
    errorOf(file({ noises: [{ type: 'str', packet: 'a', applyTo: 'v4' }] }), 'CFG025', `${at}.applyTo`)
    warningOf(file({ noise: { type: 'rand' } }), 'CFG030', 'outbounds[0].settings.noise')
  })

  test('finalRules: what each says, and what is wrong with it', () => {
    const rules = (...finalRules: object[]) => file({ finalRules })
    const at = 'outbounds[0].settings.finalRules'
    const read = outboundOf(
      rules({ action: 'BLOCK', ip: 'geoip:private', port: '22', network: 'tcp' }),
      'freedom',
    ).settings
    expect(read.finalRules).toMatchObject([
      {
        at: `${at}[0]`,
        action: 'block',
        ips: [{ kind: 'list', file: 'geoip.dat', code: 'PRIVATE', not: false }],
        ports: [{ from: 22, to: 22 }],
        networks: ['tcp'],
      },
    ])
    for (const open of [rules(), rules({ action: 'allow' }, { action: 'block' })]) {
      expect(outboundOf(open, 'freedom').settings).not.toHaveProperty('finalRules')
    }
    errorOf(rules({}), 'CFG024', `${at}[0].action`)
    errorOf(rules({ action: 'deny' }), 'CFG025', `${at}[0].action`)
    errorOf(rules({ action: 'block', ip: ['10.0.0.0/33'] }), 'CFG122', `${at}[0].ip[0]`)
    errorOf(rules({ action: 'block', port: '5-1' }), 'CFG029', `${at}[0].port`)
    warningOf(rules({ action: 'block' }, { action: 'allow', network: 'utp' }), 'CFG026', `${at}[1].network`)
    warningOf(rules({ action: 'block', blockDelay: '30-90' }), 'CFG030', `${at}[0].blockDelay`)
    warningOf(rules({ action: 'allow', ip: ['10.0.0.1'] }), 'CFG123', at)
  })

  test('blackhole: response.type', () => {
    const blackhole = (settings: object) => load(withOutbound({ protocol: 'blackhole', settings }))
    expect(outboundOf(blackhole({}), 'blackhole').settings.response).toBe('none')
    expect(outboundOf(blackhole({ response: { type: 'HTTP' } }), 'blackhole').settings.response).toBe('http')
    errorOf(blackhole({ response: { type: 'https' } }), 'CFG025', 'outbounds[0].settings.response.type')
  })
})

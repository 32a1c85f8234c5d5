/** One test per row of the tables of outbounds. */
import { describe, expect, test } from 'vitest'
import { errorOf, load, outboundOf, quietConfigOf, vmessOut, warningOf, withOutbound } from './helpers.ts'

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

  test('domainStrategy and targetStrategy of an outbound end the start unless AsIs', () => {
    errorOf(load(vmessOut({}, {}, { targetStrategy: 'UseIP' })), 'CFG033', 'outbounds[0].targetStrategy')
    errorOf(load(vmessOut({}, {}, { domainStrategy: 'UseIPv4' })), 'CFG033', 'outbounds[0].domainStrategy')
    quietConfigOf(load(vmessOut({}, {}, { domainStrategy: 'AsIs' })))
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
    expect(errorOf(file({ domainStrategy: 'UsIP' }), 'CFG025', 'outbounds[0].settings.domainStrategy').hint).toBe(
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
    warningOf(file({ fragment: { packets: 'tlshello' } }), 'CFG030', 'outbounds[0].settings.fragment')
    warningOf(file({ noises: [{}] }), 'CFG030', 'outbounds[0].settings.noises')
    expect(outboundOf(file({ proxyProtocol: 2 }), 'freedom').settings.proxyProtocol).toBe(2)
    expect(outboundOf(file({ proxyProtocol: 0 }), 'freedom').settings).not.toHaveProperty('proxyProtocol')
    errorOf(file({ proxyProtocol: 3 }), 'CFG023', 'outbounds[0].settings.proxyProtocol')
    errorOf(file({ finalRules: [{}] }), 'CFG033', 'outbounds[0].settings.finalRules')
  })

  test('blackhole: response.type', () => {
    const blackhole = (settings: object) => load(withOutbound({ protocol: 'blackhole', settings }))
    expect(outboundOf(blackhole({}), 'blackhole').settings.response).toBe('none')
    expect(outboundOf(blackhole({ response: { type: 'HTTP' } }), 'blackhole').settings.response).toBe('http')
    errorOf(blackhole({ response: { type: 'https' } }), 'CFG025', 'outbounds[0].settings.response.type')
  })
})

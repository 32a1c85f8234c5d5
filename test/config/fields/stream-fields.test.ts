/** One test per row of the tables of streamSettings, tcpSettings and sockopt. */
import { describe, expect, test } from 'vitest'
import { configOf, errorOf, load, outboundOf, quietConfigOf, uuid, vmessIn, vmessOut, warningOf } from '../helpers.ts'

const out = (streamSettings: object) => load(vmessOut({}, {}, { streamSettings }))
const into = (streamSettings: object) => load(vmessIn({ clients: [{ id: uuid }] }, { streamSettings }))
const streamOf = (streamSettings: object) => outboundOf(out(streamSettings), 'vmess').stream
const inboundStreamOf = (streamSettings: object) => configOf(into(streamSettings)).inbounds[0]!.stream
const at = 'outbounds[0].streamSettings'

describe('network', () => {
  test('"" is refused, as V2Ray and Xray do', () => {
    for (const key of ['network', 'method']) {
      const result = load(vmessOut({}, {}, { streamSettings: { [key]: '' } }))
      expect(errorOf(result, 'CFG100').hint).toBe(`leave "${key}" out for tcp`)
    }
  })

  test.each([null, 'tcp', 'TCP', 'raw'])('%j is tcp', (network) => {
    quietConfigOf(out({ network }))
    expect(streamOf({ network }).network).toBe('tcp')
  })

  test.each(['quic', 'hysteria'])('%s is not available yet', (network) => {
    for (const result of [out({ network }), into({ network })]) {
      expect(result.config).toBeUndefined()
      expect(result.problems).toHaveLength(1)
      expect(result.problems[0]).toMatchObject({ code: 'CFG033', severity: 'error' })
      expect(result.problems[0]!.message).toContain(
        'transport is not available in this version, only "ds", "domainsocket"',
      )
    }
  })

  test('settings of a transport that is not available say nothing more', () => {
    expect(out({ network: 'quic', quicSettings: { key: 1, anything: [1] } }).problems).toHaveLength(1)
  })

  test('unknown', () => {
    expect(errorOf(out({ network: 'wss' }), 'CFG100', `${at}.network`).hint).toBe('did you mean "ws"?')
    errorOf(out({ network: 5 }), 'CFG022', `${at}.network`)
  })

  test('method is Xray’s name and wins', () => {
    const result = out({ method: 'raw', network: 'ws' })
    warningOf(result, 'CFG035', `${at}.network`)
    errorOf(out({ method: 'quic', network: 'tcp' }), 'CFG033', `${at}.method`)
  })

  test('settings of another transport have no effect', () => {
    warningOf(out({ wsSettings: { path: '/' } }), 'CFG104', `${at}.wsSettings`)
  })
})

describe('security', () => {
  test.each([null, '', 'none', 'NONE'])('%j is no TLS', (security) => {
    quietConfigOf(out({ security }))
    expect(streamOf({ security }).tls).toBeUndefined()
  })

  test('tls, also without tlsSettings on a client', () => {
    quietConfigOf(out({ security: 'TLS' }))
    expect(streamOf({ security: 'tls' }).tls).toEqual({
      alpn: ['h2', 'http/1.1'],
      enableSessionResumption: false,
      disableSystemRoot: false,
      pinnedCertSha256: [],
      pinnedChainSha256: [],
      pinnedPublicKeySha256: [],
      masterKeyLog: '',
      authorities: [],
      certificates: [],
      serverName: '',
      allowInsecure: false,
      verifyNames: [],
    })
  })

  test('another word is never plaintext', () => {
    expect(errorOf(out({ security: 'tsl' }), 'CFG101', `${at}.security`).hint).toBe('did you mean "tls"?')
    errorOf(out({ security: 'reality', realitySettings: {} }), 'CFG034', `${at}.security`)
    errorOf(out({ security: 'xtls' }), 'CFG034', `${at}.security`)
  })

  test('settings without their security have no effect', () => {
    warningOf(out({ tlsSettings: { serverName: 'a' } }), 'CFG104', `${at}.tlsSettings`)
    warningOf(out({ realitySettings: { a: 1 } }), 'CFG104', `${at}.realitySettings`)
  })
})

describe('tcpSettings and rawSettings', () => {
  test('header: none, or http with its defaults', () => {
    quietConfigOf(out({ tcpSettings: { header: { type: 'none' }, acceptProxyProtocol: false } }))
    expect(streamOf({ tcpSettings: { header: { type: 'none' } } })).not.toHaveProperty('transport')
    quietConfigOf(out({ rawSettings: { header: { type: 'HTTP' } } }))
    expect(streamOf({ rawSettings: { header: { type: 'HTTP' } } }).transport).toMatchObject({
      request: { method: 'GET', version: '1.1', paths: ['/'] },
      response: { version: '1.1', status: '200', reason: 'OK' },
    })
    errorOf(out({ tcpSettings: { header: { type: 'srtp' } } }), 'CFG025')
  })

  test('header: what is written replaces the defaults, sorted', () => {
    const request = { path: '/a, b', headers: { b: '2', a: ['1', '3'], c: [] } }
    expect(streamOf({ tcpSettings: { header: { type: 'http', request } } }).transport).toMatchObject({
      request: {
        paths: ['/a', '/b'],
        headers: [
          { name: 'a', values: ['1', '3'] },
          { name: 'b', values: ['2'] },
        ],
      },
    })
    const broken = { type: 'http', request: { headers: { a: 'b\r\nc' } } }
    errorOf(out({ tcpSettings: { header: broken } }), 'CFG022', `${at}.tcpSettings.header.request`)
  })

  test('header: request and response have no effect under type none', () => {
    for (const key of ['request', 'response']) {
      for (const type of [{ type: 'none' }, {}]) {
        const result = out({ tcpSettings: { header: { ...type, [key]: { version: '1.1' } } } })
        warningOf(result, 'CFG030', `${at}.tcpSettings.header.${key}`)
      }
      quietConfigOf(out({ tcpSettings: { header: { type: 'none', [key]: {} } } }))
    }
  })

  test('acceptProxyProtocol, here or in sockopt, is for inbounds', () => {
    expect(inboundStreamOf({ tcpSettings: { acceptProxyProtocol: true } }).sockopt.acceptProxyProtocol).toBe(true)
    expect(inboundStreamOf({ sockopt: { acceptProxyProtocol: true } }).sockopt.acceptProxyProtocol).toBe(true)
    const both = { tcpSettings: { acceptProxyProtocol: false }, sockopt: { acceptProxyProtocol: true } }
    expect(inboundStreamOf(both).sockopt.acceptProxyProtocol).toBe(true)
    expect(inboundStreamOf({}).sockopt).not.toHaveProperty('acceptProxyProtocol')
    warningOf(out({ tcpSettings: { acceptProxyProtocol: true } }), 'CFG030', `${at}.tcpSettings.acceptProxyProtocol`)
    warningOf(out({ sockopt: { acceptProxyProtocol: true } }), 'CFG030', `${at}.sockopt.acceptProxyProtocol`)
  })

  test('rawSettings win', () => {
    warningOf(out({ rawSettings: {}, tcpSettings: { header: { type: 'http' } } }), 'CFG035', `${at}.tcpSettings`)
  })
})

describe('sockopt', () => {
  const sockopt = (value: object) => out({ sockopt: value })
  const idleOf = (value: object) => streamOf({ sockopt: value }).sockopt.tcpKeepAliveIdleS

  test('tcpKeepAliveIdle and tcpKeepAliveInterval', () => {
    expect(streamOf({}).sockopt.tcpKeepAliveIdleS).toBe(45)
    expect(inboundStreamOf({}).sockopt.tcpKeepAliveIdleS).toBe(45)
    expect(idleOf({ tcpKeepAliveIdle: 0 })).toBe(45)
    expect(idleOf({ tcpKeepAliveIdle: 300 })).toBe(300)
    expect(idleOf({ tcpKeepAliveIdle: -1 })).toBeLessThan(0)
    expect(idleOf({ tcpKeepAliveInterval: -1 })).toBeLessThan(0)
    warningOf(sockopt({ tcpKeepAliveInterval: 5 }), 'CFG030', `${at}.sockopt.tcpKeepAliveInterval`)
  })

  test.each([
    [{ mark: 255 }, 'CFG031'],
    [{ interface: 'eth0' }, 'CFG031'],
    [{ bindToDevice: 'eth0' }, 'CFG031'],
    [{ tproxy: 'redirect' }, 'CFG031'],
    [{ domainStrategy: 'UseIPv5' }, 'CFG025'],
    [{ addressPortStrategy: 'SrvPortOnly' }, 'CFG033'],
  ])('%j ends the start', (value, code) => {
    errorOf(sockopt(value), code, `${at}.sockopt.${Object.keys(value)[0]}`)
  })

  test.each([
    { tcpFastOpen: true },
    { tcpFastOpen: 256 },
    { tcpUserTimeout: 1 },
    { tcpMaxSeg: 1 },
    { tcpWindowClamp: 1 },
    { tcpCongestion: 'bbr' },
    { tcpMptcp: true },
    { customSockopt: [{}] },
    { trustedXForwardedFor: ['x'] },
    { trustedProxies: ['::1'] },
    { V6Only: true },
  ])('%j has no effect', (value) => {
    warningOf(sockopt(value), 'CFG030', `${at}.sockopt.${Object.keys(value)[0]}`)
  })

  test('what has no effect is named in one warning', () => {
    const { message } = warningOf(sockopt({ tcpMptcp: true, tcpMaxSeg: 9, penetrate: true }), 'CFG030')
    expect(message).toBe(
      '"tcpMptcp", "tcpMaxSeg" have no effect: Node cannot set it on a socket; "penetrate" has no effect: it belongs to another transport',
    )
  })

  test('domainStrategy and happyEyeballs of an outbound', () => {
    const of = (value: object) => streamOf({ sockopt: value }).sockopt
    expect(of({ domainStrategy: 'useip_v4' })).toMatchObject({ domainStrategy: 'UseIPv4' })
    expect(of({ domainStrategy: 'asis' })).not.toHaveProperty('domainStrategy')
    expect(of({ happyEyeballs: {} })).not.toHaveProperty('race')
    expect(of({ happyEyeballs: { tryDelayMs: 100, prioritizeIPv6: true, interleave: 2 } })).toMatchObject({
      race: { delayMs: 100, first: 6, interleave: 2, atOnce: 4 },
    })
    expect(of({ happyEyeballs: { tryDelayMs: 0 } }).race).toEqual({ first: 4, interleave: 1, atOnce: 4 })
  })

  test('V6Only of an inbound, and what is for the other end', () => {
    expect(inboundStreamOf({ sockopt: { V6Only: true } }).sockopt.v6Only).toBe(true)
    const { message } = warningOf(
      into({ sockopt: { domainStrategy: 'UseIP', happyEyeballs: { interleave: 1 } } }),
      'CFG030',
    )
    expect(message).toBe('"domainStrategy", "happyEyeballs" have no effect: only outbounds use it')
  })

  test('what asks for nothing is passed over', () => {
    quietConfigOf(sockopt({ mark: 0, tproxy: 'off', tcpFastOpen: false, domainStrategy: 'AsIs', dialerProxy: '' }))
  })
})

describe('wsSettings and httpupgradeSettings', () => {
  const wsOf = (wsSettings: object) => streamOf({ network: 'ws', wsSettings }).transport
  const upOf = (httpupgradeSettings: object) => streamOf({ network: 'httpupgrade', httpupgradeSettings }).transport

  test('defaults', () => {
    const plain = { path: '/', host: '', servedHost: '', forwarded: true, headers: {} }
    for (const network of ['ws', 'WebSocket']) {
      quietConfigOf(out({ network }))
      expect(streamOf({ network })).toMatchObject({ network: 'ws', transport: { ...plain, heartbeatMs: 0 } })
    }
    expect(streamOf({ network: 'httpupgrade' }).transport).toEqual({ ...plain, fastOpen: false })
  })

  test('the host of the headers is a client’s alone, host is a server’s too', () => {
    expect(wsOf({ headers: { HOST: 'a', 'X-B': 'c' } })).toMatchObject({
      host: 'a',
      servedHost: '',
      headers: { 'X-B': 'c' },
    })
    expect(wsOf({ host: 'b', headers: { Host: 'a' } })).toMatchObject({ host: 'b', servedHost: 'b', headers: {} })
  })

  test('early data in every spelling', () => {
    const protocol = 'Sec-WebSocket-Protocol'
    expect(wsOf({ path: '/a?ed=2048' })).toMatchObject({
      path: '/a',
      earlyData: { maxBytes: 2048, headerName: protocol },
    })
    expect(wsOf({ maxEarlyData: 9 })).toMatchObject({ earlyData: { maxBytes: 9, headerName: '' } })
    expect(wsOf({ maxEarlyData: 9, earlyDataHeaderName: 'X' })).toMatchObject({
      earlyData: { maxBytes: 9, headerName: 'X' },
    })
    expect(wsOf({ earlyDataHeaderName: 'X' })).not.toHaveProperty('earlyData')
    expect(upOf({ path: 'up?ed=1' })).toMatchObject({ path: '/up', fastOpen: true })
  })

  test('heartbeatPeriod is in seconds', () => {
    expect(wsOf({ heartbeatPeriod: 10 })).toMatchObject({ heartbeatMs: 10_000 })
  })

  test('what cannot stand in a request is an error', () => {
    const ws = (wsSettings: object) => out({ network: 'ws', wsSettings })
    errorOf(ws({ path: '/a\n' }), 'CFG022', `${at}.wsSettings.path`)
    errorOf(ws({ host: 'a\r\nb' }), 'CFG022', `${at}.wsSettings.host`)
    errorOf(ws({ headers: { 'a b': 'c' } }), 'CFG022', `${at}.wsSettings.headers`)
    errorOf(ws({ headers: { a: 'c\n' } }), 'CFG022', `${at}.wsSettings.headers`)
    warningOf(ws({ acceptProxyProtocol: true }), 'CFG030', `${at}.wsSettings.acceptProxyProtocol`)
    warningOf(ws({ useBrowserForwarding: true }), 'CFG030', `${at}.wsSettings.useBrowserForwarding`)
  })

  test('paths and hosts are sent as V2Ray and Xray send them', () => {
    const sent = (network: string, key: string, path: string) => streamOf({ network, [key]: { path } }).transport
    expect(sent('ws', 'wsSettings', '/t.me/x 💃?a=ü')).toMatchObject({ path: '/t.me/x%20%F0%9F%92%83?a=%C3%BC' })
    expect(sent('httpupgrade', 'httpupgradeSettings', '/a?b=1')).toMatchObject({ path: '/a%3Fb=1' })
    expect(sent('h2', 'httpSettings', '/a b?c')).toMatchObject({ path: '/a%20b%3Fc' })
    const sentTo = (host: string) => wsOf({ headers: { Host: host } })
    expect(sentTo('münchen.example:81')).toMatchObject({ host: 'xn--mnchen-3ya.example:81' })
    expect(sentTo('a.example/b')).toMatchObject({ host: 'a.example' })
    warningOf(out({ network: 'ws', wsSettings: { host: 'a.example ' } }), 'CFG028', `${at}.wsSettings.host`)
  })

  test('without the transport they have no effect', () => {
    warningOf(out({ wsSettings: { path: '/a' } }), 'CFG104', `${at}.wsSettings`)
  })
})

describe('kcpSettings', () => {
  test('more than can be counts as what can', () => {
    const result = out({ network: 'kcp', kcpSettings: { uplinkCapacity: 10_000, readBufferSize: 5_000 } })
    warningOf(result, 'CFG039', `${at}.kcpSettings.uplinkCapacity`)
    expect(outboundOf(result, 'vmess').stream.transport).toMatchObject({
      uplinkCapacity: 4_095,
      readBuffer: 4_095 * 1024 * 1024,
    })
  })
})

describe('grpcSettings and httpSettings', () => {
  const grpcOf = (grpcSettings: object) => streamOf({ network: 'grpc', grpcSettings }).transport
  const h2Of = (httpSettings: object) => streamOf({ network: 'h2', httpSettings }).transport

  test('grpc: every field of Xray and V2Ray, and the defaults', () => {
    quietConfigOf(out({ network: 'gun' }))
    const keepAlive = { idleMs: 0, timeoutMs: 20_000, withoutStreams: false }
    expect(grpcOf({})).toMatchObject({ serviceName: '', multi: false, authority: '', userAgent: 'chrome', keepAlive })
    const all = {
      serviceName: '/a/b|c',
      multiMode: true,
      authority: 'a.example',
      user_agent: 'golang',
      idle_timeout: 60,
      health_check_timeout: 5,
      permit_without_stream: true,
      initial_windows_size: 65_536,
    }
    quietConfigOf(out({ network: 'grpc', grpcSettings: all }))
    expect(grpcOf(all)).toMatchObject({
      serviceName: '/a/b|c',
      multi: true,
      authority: 'a.example',
      userAgent: 'golang',
      keepAlive: { idleMs: 60_000, timeoutMs: 5_000, withoutStreams: true },
      window: 65_536,
    })
  })

  test('grpc: as in Go, no PING oftener than every 10 s, and one is sent where any of the three asks for it', () => {
    for (const settings of [{ idle_timeout: 1 }, { health_check_timeout: 20 }, { permit_without_stream: true }])
      expect(grpcOf(settings)).toMatchObject({ keepAlive: { idleMs: 10_000, timeoutMs: 20_000 } })
    for (const initial_windows_size of [-1, 0, 65_534])
      expect(grpcOf({ initial_windows_size })).not.toHaveProperty('window')
  })

  test('gunSettings is the older name, and wins', () => {
    const both = { network: 'gun', gunSettings: { serviceName: 'b' }, grpcSettings: { serviceName: 'a' } }
    expect(streamOf(both).transport).toMatchObject({ serviceName: 'b' })
  })

  test('h2: every field, in the forms of V2Ray, old Xray and sing-box', () => {
    expect(h2Of({})).toMatchObject({ hosts: [], path: '/', method: 'PUT', headers: {} })
    expect(h2Of({})).not.toHaveProperty('servedMethod')
    const all = {
      host: 'a, b',
      path: 'p',
      method: 'POST',
      headers: { 'X-A': ['1', '2'], B: 'c' },
      read_idle_timeout: 30,
    }
    quietConfigOf(out({ network: 'http', httpSettings: all }))
    expect(h2Of(all)).toMatchObject({
      hosts: ['a', 'b'],
      path: '/p',
      method: 'POST',
      servedMethod: 'POST',
      headers: { 'x-a': '2', b: 'c' },
      keepAlive: { idleMs: 30_000 },
    })
    expect(h2Of({ headers: { Host: 'a.example' } })).toMatchObject({ hosts: ['a.example'], headers: {} })
  })

  test('what cannot be sent is an error at its place', () => {
    const grpc = (grpcSettings: object) => out({ network: 'grpc', grpcSettings })
    const h2 = (httpSettings: object) => out({ network: 'h2', httpSettings })
    errorOf(grpc({ authority: 'a b' }), 'CFG022', `${at}.grpcSettings.authority`)
    errorOf(grpc({ user_agent: 'a\n' }), 'CFG022', `${at}.grpcSettings.user_agent`)
    errorOf(h2({ path: '/a\n' }), 'CFG022', `${at}.httpSettings.path`)
    errorOf(h2({ host: ['/b'] }), 'CFG022', `${at}.httpSettings.host`)
    errorOf(h2({ method: 'A B' }), 'CFG022', `${at}.httpSettings.method`)
    for (const name of ['a b', ':path', 'Connection', 'te'])
      errorOf(h2({ headers: { [name]: 'c' } }), 'CFG022', `${at}.httpSettings.headers`)
  })
})

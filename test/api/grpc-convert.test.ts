import { readFileSync } from 'node:fs'
import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { inboundJson } from '../../src/api/grpc/convert/inbound.ts'
import { outboundJson } from '../../src/api/grpc/convert/outbound.ts'
import { builtin } from '../../src/builtin/kinds.ts'
import type { Family } from '../../src/messages/fields.ts'
import { certificateFile } from '../interop/rig/configs.ts'
import { aliceId, configOf, types } from './grpc-tools.ts'

const loopback = { ip: Buffer.from([127, 0, 0, 1]) }
const both: readonly Family[] = ['v2ray', 'xray']

interface TypedValue {
  readonly type: string
  readonly value: Uint8Array
}

const inboundOf = (receiver: TypedValue, proxy: TypedValue): object =>
  inboundJson(types.fields('inbound', { tag: 'in', receiver_settings: receiver, proxy_settings: proxy }), builtin)

const outboundOf = (proxy: TypedValue, sender?: TypedValue): object =>
  outboundJson(types.fields('outbound', { tag: 'out', sender_settings: sender, proxy_settings: proxy }), builtin)

const receiverOf = (family: Family, from: number, to: number, more: object = {}) =>
  types.typed(family, 'app.proxyman.ReceiverConfig', {
    ...(family === 'xray'
      ? { port_list: { range: [{ From: from, To: to }] } }
      : { port_range: { From: from, To: to } }),
    listen: loopback,
    ...more,
  })

const user = (family: Family, more: object = {}) => ({
  level: 2,
  email: 'alice@home.lan',
  account: types.typed(family, 'proxy.vmess.Account', { id: aliceId, ...more }),
})

const refusal = (details: RegExp, code: number = status.UNIMPLEMENTED) =>
  expect.objectContaining({ code, message: expect.stringMatching(details) })

const thrownBy = (step: () => unknown): unknown => {
  try {
    return step()
  } catch (error) {
    return error
  }
}

describe('an inbound in protobuf', () => {
  it.each(both)('of %s: vmess with its users', (family) => {
    const settings = {
      user: [user(family, { security_settings: { type: 2 }, tests_enabled: 'AuthenticatedLength', alter_id: 4 })],
      default: { level: 1 },
    }
    const json = inboundOf(receiverOf(family, 1000, 1002), types.typed(family, 'proxy.vmess.inbound.Config', settings))
    expect(json).toEqual({
      tag: 'in',
      protocol: 'vmess',
      listen: '127.0.0.1',
      port: '1000-1002',
      settings: {
        clients: [{ id: aliceId, alterId: 4, level: 2, email: 'alice@home.lan', experiments: 'AuthenticatedLength' }],
        default: { alterId: 0, level: 1 },
      },
    })
    const { inbounds } = configOf({ inbounds: [json] })
    expect(inbounds[0]?.listen).toHaveLength(3)
  })

  it('of V2Ray: detour, secure encryption and dynamic ports', () => {
    const receiver = receiverOf('v2ray', 2000, 2999, {
      allocation_strategy: { type: 1, concurrency: { value: 4 }, refresh: { value: 7 } },
      domain_override: [0, 1],
    })
    const settings = { detour: { to: 'other' }, secure_encryption_only: true }
    expect(inboundOf(receiver, types.typed('v2ray', 'proxy.vmess.inbound.Config', settings))).toMatchObject({
      allocate: { strategy: 'random', concurrency: 4, refresh: 7 },
      domainOverride: ['http', 'tls'],
      settings: { clients: [], detour: { to: 'other' }, disableInsecureEncryption: true },
    })
  })

  it('of V2Ray 5, which sends an Any', () => {
    const any = ({ type, value }: TypedValue) => ({ type: `types.v2fly.org/${type}`, value })
    const proxy = any(types.typed('v2ray', 'proxy.http.ServerConfig', { accounts: { bob: 'pass' } }))
    expect(inboundOf(any(receiverOf('v2ray', 80, 80)), proxy)).toEqual({
      tag: 'in',
      protocol: 'http',
      listen: '127.0.0.1',
      port: '80',
      settings: { accounts: [{ user: 'bob', pass: 'pass' }] },
    })
  })

  it.each([
    ['v2ray', 'socks'],
    ['xray', 'mixed'],
  ] as const)('of %s: socks, which is %s here', (family, protocol) => {
    const settings = { auth_type: 1, accounts: { bob: 'pass' }, udp_enabled: true, user_level: 3 }
    const json = inboundOf(receiverOf(family, 1080, 1080), types.typed(family, 'proxy.socks.ServerConfig', settings))
    expect(json).toMatchObject({
      protocol,
      settings: { auth: 'password', accounts: [{ user: 'bob', pass: 'pass' }], udp: true, userLevel: 3 },
    })
    expect(configOf({ inbounds: [json] }).inbounds).toHaveLength(1)
  })

  it.each(both)('of %s: dokodemo-door', (family) => {
    const settings = { address: { domain: 'example.com' }, port: 443, networks: [2, 3] }
    const json = inboundOf(receiverOf(family, 1, 1), types.typed(family, 'proxy.dokodemo.Config', settings))
    expect(json).toMatchObject({
      protocol: 'dokodemo-door',
      settings: { address: 'example.com', port: 443, network: 'tcp,udp' },
    })
    expect(configOf({ inbounds: [json] }).inbounds[0]?.settings).toMatchObject({ networks: ['tcp', 'udp'] })
  })

  it.each(both)('of %s: TLS with its certificate, sniffing and socket options', (family) => {
    const pem = readFileSync(certificateFile)
    const key = readFileSync(certificateFile.replace('.crt', '.key'))
    const certificate = family === 'xray' ? { certificate: pem, key } : { Certificate: pem, Key: key }
    const tls = types.typed(family, 'transport.internet.tls.Config', {
      certificate: [certificate],
      next_protocol: ['h2'],
    })
    const receiver = receiverOf(family, 443, 443, {
      stream_settings: {
        protocol_name: 'tcp',
        transport_settings: [
          {
            protocol_name: 'tcp',
            settings: types.typed(family, 'transport.internet.tcp.Config', {
              header_settings: types.typed(family, 'transport.internet.headers.noop.ConnectionConfig', {}),
            }),
          },
        ],
        security_type: tls.type,
        security_settings: [tls],
        socket_settings: { tcp_keep_alive_idle: 30 },
      },
      sniffing_settings: { enabled: true, destination_override: ['http', 'tls'] },
    })
    const json = inboundOf(receiver, types.typed(family, 'proxy.vmess.inbound.Config', { user: [user(family)] }))
    expect(json).toMatchObject({
      streamSettings: {
        tcpSettings: { header: { type: 'none' } },
        security: 'tls',
        tlsSettings: { alpn: ['h2'] },
        sockopt: { tcpKeepAliveIdle: 30 },
      },
      sniffing: { enabled: true, destOverride: ['http', 'tls'] },
    })
    const { stream } = configOf({ inbounds: [json] }).inbounds[0]!
    expect(stream.sockopt).toEqual({ tcpKeepAliveIdleS: 30 })
    expect(stream.tls?.alpn).toEqual(['h2'])
    expect(stream.tls?.certificates[0]?.cert).toMatchObject({ pem: pem.toString() })
  })

  it('of Xray: files of a certificate are read only where their contents did not come along', () => {
    const tls = types.typed('xray', 'transport.internet.tls.Config', {
      certificate: [
        { certificate_path: '/etc/a.crt', key_path: '/etc/a.key', One_time_loading: true },
        { certificate: Buffer.from('A\nB\n'), key: Buffer.from('C\n'), certificate_path: '/etc/b.crt' },
      ],
    })
    const stream_settings = { security_type: tls.type, security_settings: [tls] }
    const proxy = types.typed('xray', 'proxy.vmess.inbound.Config', {})
    expect(inboundOf(receiverOf('xray', 1, 1, { stream_settings }), proxy)).toMatchObject({
      streamSettings: {
        tlsSettings: {
          certificates: [
            { usage: 'encipherment', certificateFile: '/etc/a.crt', keyFile: '/etc/a.key' },
            { usage: 'encipherment', certificate: ['A', 'B'], key: ['C'] },
          ],
        },
      },
    })
  })

  it('on a unix socket', () => {
    const receiver = types.typed('xray', 'app.proxyman.ReceiverConfig', { listen: { domain: '/run/vmess.sock' } })
    const json = inboundOf(receiver, types.typed('xray', 'proxy.vmess.inbound.Config', {}))
    expect(json).toEqual({ tag: 'in', protocol: 'vmess', listen: '/run/vmess.sock', settings: { clients: [] } })
  })
})

describe('an outbound in protobuf', () => {
  it.each(both)('of %s: vmess with its server', (family) => {
    const settings = {
      Receiver: [
        { address: { domain: 'example.com' }, port: 443, user: [user(family, { security_settings: { type: 4 } })] },
      ],
    }
    const json = outboundOf(types.typed(family, 'proxy.vmess.outbound.Config', settings))
    expect(json).toEqual({
      tag: 'out',
      protocol: 'vmess',
      settings: {
        vnext: [
          {
            address: 'example.com',
            port: 443,
            users: [{ id: aliceId, alterId: 0, level: 2, email: 'alice@home.lan', security: 'chacha20-poly1305' }],
          },
        ],
      },
    })
    expect(configOf({ outbounds: [json] }).outbounds[0]).toMatchObject({
      settings: { servers: [{ address: { host: 'example.com', port: 443 } }] },
    })
  })

  it.each(both)('of %s: freedom and blackhole', (family) => {
    const server = { address: { ip: Buffer.from([...new Array(15).fill(0), 1]) }, port: 81 }
    const freedom = { domain_strategy: 2, destination_override: { server }, user_level: 5 }
    const json = outboundOf(types.typed(family, 'proxy.freedom.Config', freedom))
    expect(json).toMatchObject({
      protocol: 'freedom',
      settings: { domainStrategy: 'UseIPv4', redirect: '[::1]:81', userLevel: 5 },
    })
    expect(configOf({ outbounds: [json] }).outbounds[0]?.settings).toMatchObject({
      redirect: { host: '::1', port: 81 },
    })
    const response = types.typed(family, 'proxy.blackhole.HTTPResponse', {})
    expect(outboundOf(types.typed(family, 'proxy.blackhole.Config', { response }))).toMatchObject({
      protocol: 'blackhole',
      settings: { response: { type: 'http' } },
    })
  })

  it.each(both)('of %s: proxies with their logins', (family) => {
    const account = (kind: string) => types.typed(family, `proxy.${kind}.Account`, { username: 'a', password: 'b' })
    const server = (kind: string) => [{ address: loopback, port: 1080, user: [{ level: 2, account: account(kind) }] }]
    const servers = [{ address: '127.0.0.1', port: 1080, users: [{ user: 'a', pass: 'b', level: 2 }] }]
    for (const kind of ['socks', 'http'] as const) {
      const json = outboundOf(types.typed(family, `proxy.${kind}.ClientConfig`, { server: server(kind) }))
      expect(json).toEqual({ tag: 'out', protocol: kind, settings: { servers } })
      expect(configOf({ outbounds: [json] }).outbounds[0]).toMatchObject({
        protocol: kind,
        settings: {
          servers: [{ address: { host: '127.0.0.1', port: 1080 }, users: [{ user: 'a', pass: 'b', level: 2 }] }],
        },
      })
    }
    const wrong = types.typed(family, 'proxy.socks.ClientConfig', { server: server('http') })
    expect(thrownBy(() => outboundOf(wrong))).toEqual(refusal(/proxy\.http\.Account/))
  })

  it('of each: what only one of them has', () => {
    const socks = types.typed('v2ray', 'proxy.socks.ClientConfig', { version: 2, delay_auth_write: true })
    expect(outboundOf(socks)).toMatchObject({ settings: { version: '4a', delayAuthWrite: true } })
    const http = types.typed('xray', 'proxy.http.ClientConfig', { header: [{ key: 'X-A', value: 'b' }] })
    expect(outboundOf(http)).toMatchObject({ settings: { headers: { 'X-A': 'b' } } })
    const freedom = types.typed('xray', 'proxy.freedom.Config', { proxy_protocol: 2 })
    expect(outboundOf(freedom)).toMatchObject({ settings: { proxyProtocol: 2 } })
    const settings = types.typed('v2ray', 'transport.internet.domainsocket.Config', { path: '/a', padding: true })
    const stream_settings = {
      protocol_name: 'domainsocket',
      transport_settings: [{ protocol_name: 'domainsocket', settings }],
    }
    const sender = types.typed('v2ray', 'app.proxyman.SenderConfig', { stream_settings })
    expect(outboundOf(types.typed('v2ray', 'proxy.freedom.Config', {}), sender)).toMatchObject({
      streamSettings: { network: 'domainsocket', dsSettings: { path: '/a', padding: true } },
    })
  })

  it('of Xray: the rest of the sender', () => {
    const tls = types.typed('xray', 'transport.internet.tls.Config', {
      server_name: 'example.com',
      min_version: '1.2',
      pinned_peer_cert_sha256: [Buffer.alloc(32, 0xab)],
      verify_peer_cert_by_name: ['a', 'b'],
    })
    const sender = types.typed('xray', 'app.proxyman.SenderConfig', {
      via: { ip: Buffer.from([10, 0, 0, 1]) },
      proxy_settings: { tag: 'next', transportLayerProxy: true },
      multiplex_settings: { enabled: true, concurrency: -1, xudpConcurrency: 8, xudpProxyUDP443: 'reject' },
      target_strategy: 8,
      stream_settings: {
        security_type: tls.type,
        security_settings: [tls],
        socket_settings: {
          mark: 5,
          tproxy: 2,
          domain_strategy: 1,
          dialer_proxy: 'x',
          happy_eyeballs: Buffer.from([16, 1]),
        },
      },
    })
    expect(outboundOf(types.typed('xray', 'proxy.freedom.Config', {}), sender)).toEqual({
      tag: 'out',
      protocol: 'freedom',
      settings: { domainStrategy: 'AsIs' },
      sendThrough: '10.0.0.1',
      proxySettings: { tag: 'next', transportLayer: true },
      mux: { enabled: true, concurrency: -1, xudpConcurrency: 8, xudpProxyUDP443: 'reject' },
      targetStrategy: 'ForceIPv6',
      streamSettings: {
        security: 'tls',
        tlsSettings: {
          serverName: 'example.com',
          minVersion: '1.2',
          pinnedPeerCertSha256: 'ab'.repeat(32),
          verifyPeerCertByName: 'a,b',
        },
        sockopt: { mark: 5, tproxy: 'redirect', domainStrategy: 'UseIP', dialerProxy: 'x' },
      },
    })
  })
})

describe('transports that a request opens', () => {
  const streamOf = (family: Family, name: string, message: string, values: object) => {
    const settings = types.typed(family, message, values)
    const stream_settings = { protocol_name: name, transport_settings: [{ protocol_name: name, settings }] }
    const json = inboundOf(
      receiverOf(family, 1, 1, { stream_settings }),
      types.typed(family, 'proxy.vmess.inbound.Config', {}),
    )
    return configOf({ inbounds: [json] }).inbounds[0]!.stream
  }
  const shared = { path: '/ray', host: 'a', headers: { 'X-A': 'b' }, forwarded: true }

  it('ws of both families', () => {
    const header = [
      { key: 'X-A', value: 'b' },
      { key: 'Host', value: 'a' },
    ]
    const v2ray = {
      path: '/ray',
      header,
      max_early_data: 2048,
      early_data_header_name: 'E',
      parse_x_forwarded_for: true,
    }
    expect(streamOf('v2ray', 'websocket', 'transport.internet.websocket.Config', v2ray)).toMatchObject({
      network: 'ws',
      transport: { ...shared, servedHost: '', earlyData: { maxBytes: 2048, headerName: 'E' }, heartbeatMs: 0 },
    })
    const xray = {
      path: '/ray',
      host: 'a',
      header: { 'X-A': 'b' },
      ed: 2048,
      heartbeatPeriod: 10,
      accept_proxy_protocol: true,
    }
    expect(streamOf('xray', 'websocket', 'transport.internet.websocket.Config', xray)).toMatchObject({
      transport: {
        ...shared,
        servedHost: 'a',
        earlyData: { maxBytes: 2048, headerName: 'Sec-WebSocket-Protocol' },
        heartbeatMs: 10_000,
      },
      sockopt: { acceptProxyProtocol: true },
    })
  })

  it('httpupgrade of both families', () => {
    const v2ray = { path: '/ray', host: 'a', header: [{ key: 'X-A', value: 'b' }] }
    const name = 'transport.internet.request.httpupgrade.Config'
    expect(streamOf('v2ray', 'httpupgrade', name, v2ray)).toMatchObject({
      network: 'httpupgrade',
      transport: { ...shared, servedHost: 'a', fastOpen: false },
    })
    const xray = { path: '/ray?a=b', host: 'a', header: { 'X-A': 'b' }, ed: 1 }
    expect(streamOf('xray', 'httpupgrade', 'transport.internet.httpupgrade.Config', xray).transport).toMatchObject({
      ...shared,
      path: '/ray%3Fa=b',
      fastOpen: true,
    })
    expect(thrownBy(() => streamOf('v2ray', 'httpupgrade', name, { max_early_data: 1 }))).toEqual(
      refusal(/max_early_data/),
    )
  })

  it('grpc of both families', () => {
    const shared = {
      serviceName: 'svc',
      keepAlive: { idleMs: 60_000, timeoutMs: 5_000, withoutStreams: true },
      window: 65_536,
    }
    const common = {
      service_name: 'svc',
      idle_timeout: 60,
      health_check_timeout: 5,
      permit_without_stream: true,
      initial_windows_size: 65_536,
    }
    const name = 'transport.internet.grpc.encoding.Config'
    // V2Ray itself does nothing with its host.
    expect(streamOf('v2ray', 'gun', name, { ...common, host: 'a' })).toMatchObject({
      network: 'grpc',
      transport: { ...shared, authority: '', multi: false },
    })
    const xray = { ...common, authority: 'a', multi_mode: true, user_agent: 'golang' }
    expect(streamOf('xray', 'grpc', name, xray).transport).toMatchObject({
      ...shared,
      authority: 'a',
      multi: true,
      userAgent: 'golang',
    })
  })

  it('h2 of V2Ray', () => {
    const values = { host: ['a', 'b'], path: '/h', method: 'POST', header: [{ name: 'X-A', value: ['b', 'c'] }] }
    expect(streamOf('v2ray', 'http', 'transport.internet.http.Config', values)).toMatchObject({
      network: 'h2',
      transport: { hosts: ['a', 'b'], path: '/h', method: 'POST', headers: { 'x-a': 'c' } },
    })
  })

  it.each(both)('the http header of tcp of %s', (family) => {
    const header_settings = types.typed(family, 'transport.internet.headers.http.Config', {
      request: {
        version: { value: '1.0' },
        method: { value: 'PUT' },
        uri: ['/a', '/b'],
        header: [{ name: 'Host', value: ['x', 'y'] }],
      },
      response: { status: { code: '404', reason: 'No' }, header: [{ name: 'A', value: ['b'] }] },
    })
    expect(streamOf(family, 'tcp', 'transport.internet.tcp.Config', { header_settings }).transport).toEqual({
      request: { version: '1.0', method: 'PUT', paths: ['/a', '/b'], headers: [{ name: 'Host', values: ['x', 'y'] }] },
      response: { version: '1.1', status: '404', reason: 'No', headers: [{ name: 'A', values: ['b'] }] },
    })
  })
})

describe('what has no place here', () => {
  const vmess = types.typed('xray', 'proxy.vmess.inbound.Config', {})
  const withStream = (stream_settings: object, family: Family = 'xray') =>
    thrownBy(() =>
      inboundOf(receiverOf(family, 1, 1, { stream_settings }), types.typed(family, 'proxy.vmess.inbound.Config', {})),
    )

  it('is refused by the name of the protocol, transport, header or security', () => {
    const vless = { type: 'xray.proxy.vless.inbound.Config', value: Buffer.alloc(0) }
    expect(thrownBy(() => inboundOf(receiverOf('xray', 1, 1), vless))).toEqual(refusal(/"xray\.proxy\.vless\.inbound/))
    const settings = { type: 'xray.transport.internet.hysteria.Config', value: Buffer.alloc(0) }
    const stream = { protocol_name: 'hysteria', transport_settings: [{ protocol_name: 'hysteria', settings }] }
    expect(withStream(stream)).toEqual(refusal(/hysteria\.Config/))
    const header_settings = { type: 'v2ray.core.transport.internet.headers.srtp.Config', value: Buffer.alloc(0) }
    const tcp = types.typed('v2ray', 'transport.internet.tcp.Config', { header_settings })
    expect(withStream({ transport_settings: [{ protocol_name: 'tcp', settings: tcp }] }, 'v2ray')).toEqual(
      refusal(/headers\.srtp\.Config/),
    )
    expect(withStream({ security_type: 'xray.transport.internet.reality.Config' })).toEqual(refusal(/reality/))
  })

  it('is refused by the name of the field, however deep', () => {
    expect(withStream({ quic_params: Buffer.from([8, 1]) })).toEqual(
      refusal(/xray\.app\.proxyman\.ReceiverConfig\.stream_settings\.quic_params/),
    )
    const sniffing_settings = { enabled: true, domains_excluded: [Buffer.from('example.com')] }
    expect(thrownBy(() => inboundOf(receiverOf('xray', 1, 1, { sniffing_settings }), vmess))).toEqual(
      refusal(/sniffing_settings\.domains_excluded/),
    )
    const fragment = types.typed('xray', 'proxy.freedom.Config', { fragment: Buffer.from([8, 1]) })
    expect(thrownBy(() => outboundOf(fragment))).toEqual(refusal(/xray\.proxy\.freedom\.Config\.fragment/))
  })

  it('is refused by its number when the field is unknown, also inside another message', () => {
    const added = (typed: TypedValue, bytes: readonly number[]) => ({
      ...typed,
      value: Buffer.concat([typed.value, Buffer.from(bytes)]),
    })
    // Field 30, a number; and field 5 (streamSettings of V2Ray is 4) holding a message with field 31.
    const number = added(receiverOf('xray', 1, 1), [0xf0, 0x01, 1])
    expect(thrownBy(() => inboundOf(number, vmess))).toEqual(refusal(/field 30 of xray\.app\.proxyman\.ReceiverConfig/))
    const nested = added(receiverOf('xray', 1, 1), [0x1a, 3, 0xf8, 0x01, 1])
    expect(thrownBy(() => inboundOf(nested, vmess))).toEqual(
      refusal(/field 31 of xray\.app\.proxyman\.ReceiverConfig\.stream_settings/),
    )
  })

  it('and what is malformed is said to be that', () => {
    const broken = { type: 'xray.proxy.vmess.inbound.Config', value: Buffer.from([0x0a, 9, 1]) }
    expect(thrownBy(() => inboundOf(receiverOf('xray', 1, 1), broken))).toEqual(
      refusal(/cannot be decoded/, status.INVALID_ARGUMENT),
    )
    const ofType = (bytes: number[]) => () =>
      types.open('v2ray.core.app.proxyman.command.RemoveUserOperation', Uint8Array.from(bytes))
    // A text that says it is a number; a decoder reads the text, whose bytes make no number. A group. A length beyond the end.
    for (const bytes of [
      [0x08, 2, 0x80, 0x80],
      [0x13, 0x14],
      [0x0a, 0x81, 0x80, 0x80, 0x80, 0x10, 0x61],
    ]) {
      expect(thrownBy(ofType(bytes)), bytes.join()).toEqual(refusal(/cannot be decoded/, status.INVALID_ARGUMENT))
    }
    const strategy = types.typed('xray', 'proxy.freedom.Config', { domain_strategy: 99 })
    expect(thrownBy(() => outboundOf(strategy))).toEqual(refusal(/domain_strategy is 99/, status.INVALID_ARGUMENT))
    expect(thrownBy(() => inboundJson(types.fields('inbound', { tag: 'in' }), builtin))).toEqual(
      refusal(/no proxy_settings/, status.INVALID_ARGUMENT),
    )
  })
})

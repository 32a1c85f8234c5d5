/**
 * Every kind that a configuration can name, with everything it brings. Adding one is a folder of its own and one line here:
 * loader, reference, editor schema, links, gRPC conversion and instance follow. Whatever makes the thing itself is named
 * inside a function, so that the command can load it when the first is made (scripts/bundle.mjs).
 */
import { defineInbound, defineOutbound, defineSecurity, defineTransport, type Kinds } from '../kinds/kinds.ts'
import { blackholeOutbound } from '../proxy/blackhole/config.ts'
import { blackholeOutboundJson } from '../proxy/blackhole/messages.ts'
import { createBlackhole } from '../proxy/blackhole/outbound.ts'
import { dnsOutbound } from '../proxy/dns/config.ts'
import { createDnsOutbound } from '../proxy/dns/outbound.ts'
import { dokodemoInbound } from '../proxy/dokodemo/config.ts'
import { createDokodemoInbound } from '../proxy/dokodemo/inbound.ts'
import { dokodemoInboundJson } from '../proxy/dokodemo/messages.ts'
import { freedomOutbound } from '../proxy/freedom/config.ts'
import { freedomOutboundJson } from '../proxy/freedom/messages.ts'
import { createFreedom } from '../proxy/freedom/outbound.ts'
import { httpInbound } from '../proxy/http/config.ts'
import { createHttpInbound } from '../proxy/http/inbound.ts'
import { httpInboundJson, httpOutboundJson } from '../proxy/http/messages.ts'
import { createHttpOutbound } from '../proxy/http/outbound.ts'
import { httpOutbound } from '../proxy/http/outbound-config.ts'
import { loopbackOutbound } from '../proxy/loopback/config.ts'
import { createLoopback } from '../proxy/loopback/outbound.ts'
import { mixedInbound } from '../proxy/mixed/config.ts'
import { createMixedInbound } from '../proxy/mixed/inbound.ts'
import { socksInbound } from '../proxy/socks/config.ts'
import { createSocksInbound } from '../proxy/socks/inbound.ts'
import { socksInboundJson, socksOutboundJson } from '../proxy/socks/messages.ts'
import { createSocksOutbound } from '../proxy/socks/outbound.ts'
import { socksOutbound } from '../proxy/socks/outbound-config.ts'
import { vmessInbound, vmessOutbound } from '../proxy/vmess/config.ts'
import { createVmessInbound } from '../proxy/vmess/inbound.ts'
import { vmessInboundJson, vmessOutboundJson } from '../proxy/vmess/messages.ts'
import { createVmessOutbound } from '../proxy/vmess/outbound.ts'
import { dsForm } from '../transport/ds/config.ts'
import { dsMessage } from '../transport/ds/messages.ts'
import { grpcForm } from '../transport/grpc/config.ts'
import { grpcLayer } from '../transport/grpc/layer.ts'
import { grpcJson } from '../transport/grpc/messages.ts'
import { h2Form } from '../transport/h2/config.ts'
import { h2Layer } from '../transport/h2/layer.ts'
import { h2Json } from '../transport/h2/messages.ts'
import { httpUpgradeForm } from '../transport/httpupgrade/config.ts'
import { httpUpgradeLayer } from '../transport/httpupgrade/layer.ts'
import { httpUpgradeJson } from '../transport/httpupgrade/messages.ts'
import { kcpCarrier } from '../transport/kcp/carrier.ts'
import { kcpForm } from '../transport/kcp/config.ts'
import { kcpJson } from '../transport/kcp/messages.ts'
import { tcpForm } from '../transport/tcp/config.ts'
import { disguiseLayer } from '../transport/tcp/disguise-layer.ts'
import { tcpJson } from '../transport/tcp/messages.ts'
import { tlsForm } from '../transport/tls/build-config.ts'
import { tlsClientSource, tlsServerSource } from '../transport/tls/certificates/files.ts'
import { tlsClientLayer, tlsServerLayer } from '../transport/tls/layer.ts'
import { tlsJson } from '../transport/tls/messages.ts'
import { requestOpening } from '../transport/upgrade/opening.ts'
import { wsForm } from '../transport/ws/config.ts'
import { webSocketLayer } from '../transport/ws/layer.ts'
import { wsJson } from '../transport/ws/messages.ts'
import { xhttpForm } from '../transport/xhttp/config.ts'
import { xhttpLayer, xhttpOpening } from '../transport/xhttp/layer.ts'
import { xhttpJson } from '../transport/xhttp/messages.ts'

const socks = 'proxy.socks.ServerConfig'

/** One for all: its listeners share sockets. */
let carrier: ReturnType<typeof kcpCarrier> | undefined
const kcp = () => {
  carrier ??= kcpCarrier()
  return carrier
}

export const inbounds = [
  defineInbound({
    ...dokodemoInbound,
    message: { name: 'proxy.dokodemo.Config', json: dokodemoInboundJson },
    create: (settings) => createDokodemoInbound(settings),
  }),
  defineInbound({
    ...httpInbound,
    message: { name: 'proxy.http.ServerConfig', json: httpInboundJson },
    // A client that is offered h2 takes it, V2Ray's own among them.
    alpn: ['http/1.1'],
    create: (settings, { env }) => createHttpInbound(settings, env),
  }),
  defineInbound({
    ...mixedInbound,
    // Xray serves HTTP by its SOCKS inbound too, and calls it mixed or socks alike.
    message: { name: socks, family: 'xray', json: socksInboundJson },
    alpn: ['http/1.1'],
    create: (settings, { env }) => createMixedInbound(settings, env),
  }),
  defineInbound({
    ...socksInbound,
    message: { name: socks, family: 'v2ray', json: socksInboundJson },
    opening: { kind: 'bytes' },
    create: (settings, { env }) => createSocksInbound(settings, env),
  }),
  defineInbound({
    ...vmessInbound,
    message: { name: 'proxy.vmess.inbound.Config', json: vmessInboundJson },
    opening: { kind: 'bytes' },
    create: ({ disableInsecureEncryption }, { users, detour, ...deps }) =>
      createVmessInbound({ ...deps, users: users!, disableInsecureEncryption, ...(detour && { detour }) }),
  }),
] as const

export const outbounds = [
  defineOutbound({
    ...blackholeOutbound,
    message: { name: 'proxy.blackhole.Config', json: blackholeOutboundJson },
    create: (tag, settings, { env }) => createBlackhole(tag, settings, env),
  }),
  defineOutbound({
    ...dnsOutbound,
    create: (tag, settings, deps) => createDnsOutbound(tag, settings, { ...deps, match: deps.matchNames }),
  }),
  defineOutbound({
    ...freedomOutbound,
    message: { name: 'proxy.freedom.Config', json: freedomOutboundJson },
    finalRules: ({ finalRules }) => finalRules,
    create: (tag, settings, deps) => createFreedom(tag, settings, deps),
  }),
  defineOutbound({
    ...httpOutbound,
    message: { name: 'proxy.http.ClientConfig', json: httpOutboundJson },
    // A proxy that chose h2 would hear no HTTP/2.
    alpn: ['http/1.1'],
    create: (tag, settings, deps) => createHttpOutbound(tag, settings, deps),
  }),
  defineOutbound({
    ...loopbackOutbound,
    message: {
      name: 'proxy.loopback.Config',
      fields: { inbound_tag: { id: 1, type: 'string' } },
      json: ({ fields }) => ({ inboundTag: fields.text('inbound_tag') }),
    },
    create: (tag, settings) => createLoopback(tag, settings),
  }),
  defineOutbound({
    ...socksOutbound,
    message: { name: 'proxy.socks.ClientConfig', json: socksOutboundJson },
    create: (tag, settings, deps) => createSocksOutbound(tag, settings, deps),
  }),
  defineOutbound({
    ...vmessOutbound,
    message: { name: 'proxy.vmess.outbound.Config', json: vmessOutboundJson },
    create: (tag, settings, deps) => createVmessOutbound(tag, settings, deps),
  }),
] as const

/** Over HTTP/2 alone; a server offers HTTP/1 too, as a web server does, and answers it as one without pages. */
const overHttp2 = {
  alpn: ['h2'],
  alpnServed: ['h2', 'http/1.1'],
  opening: () => ({ kind: 'http2' }) as const,
} as const

export const transports = [
  defineTransport({ ...dsForm, message: dsMessage, socket: ({ path }) => path }),
  defineTransport({
    ...grpcForm,
    ...overHttp2,
    message: { name: 'transport.internet.grpc.encoding.Config', json: grpcJson },
    layer: (settings, deps) => grpcLayer(settings, deps),
  }),
  defineTransport({
    ...h2Form,
    ...overHttp2,
    message: { name: 'transport.internet.http.Config', json: h2Json },
    layer: (settings, deps) => h2Layer(settings, deps),
  }),
  defineTransport({
    ...httpUpgradeForm,
    alpn: ['http/1.1'],
    // V2Ray keeps it in a package of its own.
    message: [
      { name: 'transport.internet.httpupgrade.Config', family: 'xray', json: httpUpgradeJson },
      { name: 'transport.internet.request.httpupgrade.Config', family: 'v2ray', json: httpUpgradeJson },
    ],
    opening: (settings) => requestOpening(settings),
    layer: (settings, deps) => httpUpgradeLayer(settings, deps),
  }),
  defineTransport({
    ...kcpForm,
    message: { name: 'transport.internet.kcp.Config', json: kcpJson },
    carrier: {
      dialer: (ground, settings, deps) => kcp().dialer(ground, settings, deps),
      listener: (udp, settings, deps) => kcp().listener(udp, settings, deps),
    },
  }),
  defineTransport({
    ...tcpForm,
    message: { name: 'transport.internet.tcp.Config', json: tcpJson },
    opening: (disguise) => disguise && { kind: 'request', paths: disguise.request.paths, host: '' },
    layer: (disguise, deps) => (disguise ? disguiseLayer(disguise, deps) : undefined),
  }),
  defineTransport({
    ...wsForm,
    alpn: ['http/1.1'],
    message: { name: 'transport.internet.websocket.Config', json: wsJson },
    opening: (settings) => requestOpening(settings, settings.earlyData?.headerName === ''),
    layer: (settings, deps) => webSocketLayer(settings, deps),
  }),
  defineTransport({
    ...xhttpForm,
    alpn: ['h2', 'http/1.1'],
    message: { name: 'transport.internet.splithttp.Config', json: xhttpJson },
    opening: (settings) => xhttpOpening(settings),
    layer: (settings, deps) => xhttpLayer(settings, deps),
    manyCarriers: true,
  }),
] as const

/**
 * What a transport cannot be carried behind is not offered: files and links with WebSocket name h2 in plenty, and a server
 * that chooses it then hears no HTTP/2.
 */
function withAlpn<T extends { readonly alpn: readonly string[] }>(settings: T, able: readonly string[] | undefined): T {
  if (!able) return settings
  const wanted = settings.alpn.filter((name) => able.includes(name))
  return { ...settings, alpn: wanted.length > 0 ? wanted : able }
}

export const tls = defineSecurity({
  ...tlsForm,
  message: { name: 'transport.internet.tls.Config', json: tlsJson },
  client: (settings, { read, env, alpn }) => tlsClientLayer(tlsClientSource(withAlpn(settings, alpn), read), env),
  server: (settings, { read, env, post, alpn, handshakeTimeoutMs, onFailedHandshake }) =>
    tlsServerLayer(tlsServerSource(withAlpn(settings, alpn), read), {
      ...env,
      post,
      handshakeTimeoutMs,
      onError: onFailedHandshake,
    }),
})

export const builtin: Kinds = { inbounds, outbounds, transports, tls }

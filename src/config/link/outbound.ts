/** A link as an outbound of a V2Ray configuration, for the loader to check like any other. */
import type { LinkTls, LinkTransport, ShareLink } from './model.ts'
import { pathWithEarlyData } from './transport.ts'

/**
 * `{ tag, protocol, settings, streamSettings, packetEncoding?, mux? }`. Everything the link says is in it under the name the loader
 * knows, also what cannot be carried (another transport, a fingerprint), so that the loader says so.
 */
export function linkToOutbound(link: ShareLink): Record<string, unknown> {
  const user = {
    id: link.id,
    alterId: link.alterId,
    security: link.security,
    ...(link.experiments === '' ? {} : { experiments: link.experiments }),
  }
  return {
    tag: link.name,
    protocol: 'vmess',
    settings: { vnext: [{ address: link.address, port: link.port, users: [user] }] },
    streamSettings: {
      ...linkStream(link.transport),
      ...(link.tls ? { security: 'tls', tlsSettings: tlsSettings(link.tls) } : { security: 'none' }),
    },
    ...sharing(link),
  }
}

/** `network` and its settings, for a client or a server. */
export function linkStream(transport: LinkTransport): Record<string, unknown> {
  switch (transport.network) {
    case 'tcp': {
      if (!transport.http) return { network: 'tcp' }
      const { host, path } = transport.http
      const headers = host.length > 0 ? { headers: { Host: host } } : {}
      return { network: 'tcp', tcpSettings: { header: { type: 'http', request: { path, ...headers } } } }
    }
    case 'kcp': {
      const { headerType, seed, network, ...capacities } = transport
      return { network, kcpSettings: { header: { type: headerType }, ...(seed === '' ? {} : { seed }), ...capacities } }
    }
    case 'ws': {
      const { path, host, earlyData } = transport
      const all = { ...(host !== '' && { Host: host }), ...transport.headers }
      const headers = Object.keys(all).length > 0 ? { headers: all } : {}
      const early = earlyData ? { maxEarlyData: earlyData.maxBytes, earlyDataHeaderName: earlyData.headerName } : {}
      return { network: 'ws', wsSettings: { path, ...headers, ...early } }
    }
    case 'httpupgrade': {
      const path = pathWithEarlyData(transport.path, transport.earlyData)
      return { network: 'httpupgrade', httpupgradeSettings: { path, host: transport.host, ...headersOf(transport) } }
    }
    case 'xhttp': {
      const { network, ...settings } = transport
      return { network, xhttpSettings: settings }
    }
    case 'h2':
      return { network: 'h2', httpSettings: { host: transport.host, path: transport.path } }
    case 'quic': {
      const { security, key, headerType } = transport
      return { network: 'quic', quicSettings: { security, key, header: { type: headerType } } }
    }
    case 'grpc': {
      const { serviceName, mode, authority } = transport
      const settings = { serviceName, multiMode: mode === 'multi', ...(authority === '' ? {} : { authority }) }
      return { network: 'grpc', grpcSettings: settings }
    }
    case 'other':
      return { network: transport.name, [transport.key]: transport.settings }
  }
}

const headersOf = ({ headers }: { readonly headers?: Readonly<Record<string, string>> }) => (headers ? { headers } : {})

function tlsSettings(tls: LinkTls): Record<string, unknown> {
  return {
    ...(tls.serverName === '' ? {} : { serverName: tls.serverName }),
    ...(tls.alpn.length > 0 ? { alpn: tls.alpn } : {}),
    allowInsecure: tls.allowInsecure,
    ...(tls.fingerprint === '' ? {} : { fingerprint: tls.fingerprint }),
    ...(tls.pinnedCertSha256.length > 0 ? { pinnedPeerCertSha256: tls.pinnedCertSha256.join(',') } : {}),
    ...(tls.verifyNames.length > 0 ? { verifyPeerCertByName: tls.verifyNames.join(',') } : {}),
  }
}

function sharing({ mux, packetEncoding }: ShareLink): Record<string, unknown> {
  return { ...(packetEncoding && { packetEncoding }), ...(mux && { mux: { enabled: true } }) }
}

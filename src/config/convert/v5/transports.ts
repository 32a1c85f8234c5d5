/** `transportSettings`, by the name of the transport in V2Ray 4's format. */
import { withHeaderAndSeed } from '../masks.ts'
import { asList, asPlain, asText, asTexts, isEmpty, type Plain, without } from '../plain.ts'
import { Taker } from '../taker.ts'
import { webSocket } from '../v4.ts'
import { numberOr, textOr, wrapped } from './words.ts'

interface TransportName {
  readonly name: string
  readonly settings: string
  write(fields: Taker, stream: Taker): Plain
}

/** What is known of a transport: its settings, all of them. */
const form = (name: string, settings: string, write: (fields: Taker) => Plain): TransportName => ({
  name,
  settings,
  write(fields) {
    const written = without(write(fields))
    fields.end()
    return written
  },
})

export const transports: Readonly<Record<string, TransportName>> = {
  tcp: form('tcp', 'tcpSettings', (fields) => ({
    headerSettings: httpHeader(asPlain(fields.take('header'))),
    acceptProxyProtocol: fields.take('acceptProxyProtocol'),
  })),
  ws: form('ws', 'wsSettings', (outer) => {
    for (const key of Object.keys(outer.value)) outer.take(key)
    const fields = new Taker(
      webSocket(outer.value),
      outer.path,
      outer.losses,
      'V2Ray 5’s own format has no place for it',
    )
    const written = {
      path: textOr(fields.text('path')),
      header: pairs(fields.take('headers')),
      maxEarlyData: numberOr(fields.take('maxEarlyData')),
      earlyDataHeaderName: textOr(fields.text('earlyDataHeaderName')),
      acceptProxyProtocol: fields.take('acceptProxyProtocol'),
      useBrowserForwarding: fields.take('useBrowserForwarding'),
      parseXForwardedFor: fields.take('parseXForwardedFor'),
    }
    fields.end()
    return written
  }),
  httpupgrade: form('httpupgrade', 'httpupgradeSettings', (fields) => {
    const [, path = '', bytes] = /^([^?]*)(?:\?ed=(\d{1,9}))?$/.exec(fields.text('path')) ?? [
      undefined,
      fields.text('path'),
    ]
    fields.lose('acceptProxyProtocol', 'write it into "sockopt"')
    return {
      path: textOr(path),
      host: textOr(fields.text('host')),
      header: pairs(fields.take('headers')),
      maxEarlyData: numberOr(bytes),
      parseXForwardedFor: fields.take('parseXForwardedFor'),
    }
  }),
  grpc: form('grpc', 'grpcSettings', (fields) => {
    fields.lose('multiMode', 'V2Ray has one mode, which servers take as well')
    fields.lose('user_agent', 'V2Ray sends its own')
    return {
      serviceName: textOr(fields.text('serviceName')),
      host: textOr(fields.text('authority')),
      idleTimeout: numberOr(fields.take('idle_timeout')),
      healthCheckTimeout: numberOr(fields.take('health_check_timeout')),
      permitWithoutStream: fields.take('permit_without_stream'),
      initialWindowsSize: numberOr(fields.take('initial_windows_size')),
      parseXForwardedFor: fields.take('parseXForwardedFor'),
    }
  }),
  h2: form('h2', 'httpSettings', (fields) => {
    const host = fields.texts('host')
    const headers = Object.entries(asPlain(fields.take('headers')))
    return {
      host: host.length > 0 ? host : undefined,
      path: textOr(fields.text('path')),
      method: textOr(fields.text('method')),
      header: headers.length > 0 ? headers.map(([name, value]) => ({ name, value: asList(value) })) : undefined,
      parseXForwardedFor: fields.take('parseXForwardedFor'),
    }
  }),
  kcp: {
    name: 'kcp',
    settings: 'kcpSettings',
    write(outer, stream) {
      for (const key of Object.keys(outer.value)) outer.take(key)
      stream.take('finalmask')
      const masked = asPlain(withHeaderAndSeed(stream.value)?.kcpSettings)
      const fields = new Taker(masked, outer.path, outer.losses, 'V2Ray 5’s own format has no place for it')
      const written = kcp(fields)
      fields.end()
      return written
    },
  },
  ds: form('domainsocket', 'dsSettings', (fields) => ({
    path: fields.take('path'),
    abstract: fields.take('abstract'),
    padding: fields.take('padding'),
  })),
}

const mebibyte = 1024 * 1024

const packetHeaders: Readonly<Record<string, string>> = {
  srtp: 'srtp.Config',
  utp: 'utp.Config',
  'wechat-video': 'wechat.VideoConfig',
  dtls: 'tls.PacketConfig',
  wireguard: 'wireguard.WireguardConfig',
}

function kcp(fields: Taker): Plain {
  const size = (key: string) => {
    const megabytes = numberOr(fields.take(key))
    return megabytes === undefined ? undefined : { size: megabytes * mebibyte }
  }
  const seed = fields.take('seed')
  const header = packetHeaders[asText(asPlain(fields.take('header')).type)]
  return without({
    mtu: wrapped(fields.take('mtu')),
    tti: wrapped(fields.take('tti')),
    uplinkCapacity: wrapped(fields.take('uplinkCapacity')),
    downlinkCapacity: wrapped(fields.take('downlinkCapacity')),
    congestion: fields.take('congestion'),
    writeBuffer: size('writeBufferSize'),
    readBuffer: size('readBufferSize'),
    seed: seed === undefined ? undefined : { seed },
    headerConfig: header && { '@type': `types.v2fly.org/v2ray.core.transport.internet.headers.${header}` },
  })
}

function pairs(headers: unknown): Plain[] | undefined {
  const list = Object.entries(asPlain(headers)).map(([key, value]) => ({ key, value }))
  return list.length > 0 ? list : undefined
}

function httpHeader(header: Plain): Plain | undefined {
  if (header.type !== 'http') return undefined
  const request = asPlain(header.request)
  const response = asPlain(header.response)
  const value = (text: unknown) => (text ? { value: text } : undefined)
  const uri = asTexts(request.path)
  const status = without({ code: response.status, reason: response.reason })
  return without({
    '@type': 'types.v2fly.org/v2ray.core.transport.internet.headers.http.Config',
    request: isEmpty(request)
      ? undefined
      : without({
          version: value(request.version),
          method: value(request.method),
          uri: uri.length > 0 ? uri : undefined,
          header: named(request.headers),
        }),
    response: isEmpty(response)
      ? undefined
      : without({
          version: value(response.version),
          status: isEmpty(status) ? undefined : status,
          header: named(response.headers),
        }),
  })
}

function named(headers: unknown): Plain[] | undefined {
  const list = Object.entries(asPlain(headers)).map(([name, value]) => ({ name, value: asList(value) }))
  return list.length > 0 ? list : undefined
}

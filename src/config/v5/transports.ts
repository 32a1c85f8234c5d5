/** `transportSettings`, by the name of the transport. */
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { number, type Origin, object, text } from './nodes.ts'

interface TransportName {
  /** In the other format. */
  readonly network: string
  readonly settings: string
  translate(at: Origin, report: Report): JsonNode
}

export const transports: Readonly<Record<string, TransportName>> = {
  tcp: { network: 'tcp', settings: 'tcpSettings', translate: tcp },
  ws: { network: 'ws', settings: 'wsSettings', translate: ws },
  httpupgrade: { network: 'httpupgrade', settings: 'httpupgradeSettings', translate: httpUpgrade },
  grpc: { network: 'grpc', settings: 'grpcSettings', translate: grpc },
  h2: { network: 'h2', settings: 'httpSettings', translate: h2 },
  kcp: { network: 'kcp', settings: 'kcpSettings', translate: kcp },
  quic: {
    network: 'quic',
    settings: 'quicSettings',
    translate: (at, report) => kept(at, ['key', 'security', 'header'], report),
  },
  domainsocket: {
    network: 'ds',
    settings: 'dsSettings',
    translate: (at, report) => kept(at, ['path', 'abstract', 'padding'], report),
  },
}

/** Fields that have one name in both. */
function kept(at: Origin, keys: readonly string[], report: Report): JsonNode {
  const fields = new Fields(at, keys, report)
  return object(at, Object.fromEntries(keys.map((key) => [key, fields.node(key)])))
}

/** Which message a value of free type is. */
function typeOf(at: Origin, report: Report): string {
  const type = at.node.type === 'object' ? at.node.entries.find(({ key }) => key === '@type')?.value : undefined
  if (type?.type === 'string') return type.value.replace(/^[\w.]+\//, '')
  report.error('CFG024', placeOf(at), 'this object has no "@type"')
  return ''
}

function tcp(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['headerSettings', 'acceptProxyProtocol'], report)
  return object(at, {
    header: fields.has('headerSettings') ? httpHeader(fields.origin('headerSettings'), report) : undefined,
    acceptProxyProtocol: fields.node('acceptProxyProtocol'),
  })
}

function httpHeader(at: Origin, report: Report): JsonNode | undefined {
  const type = typeOf(at, report)
  if (/headers\.noop\./.test(type)) return undefined
  if (type !== 'v2ray.core.transport.internet.headers.http.Config') {
    if (type) report.error('CFG025', placeOf(at), `${JSON.stringify(shorten(type))} is no header of tcp`)
    return undefined
  }
  const fields = new Fields(at, ['@type', 'request', 'response'], report)
  const request = fields.fields('request', ['version', 'method', 'uri', 'header'])
  const response = fields.fields('response', ['version', 'status', 'header'])
  const status = response.fields('status', ['code', 'reason'])
  return object(at, {
    type: text(at, 'http'),
    request: fields.has('request')
      ? object(request.at, {
          version: request.wrapped('version'),
          method: request.wrapped('method'),
          path: request.textsNode('uri'),
          headers: headers(request, 'name', report),
        })
      : undefined,
    response: fields.has('response')
      ? object(response.at, {
          version: response.wrapped('version'),
          status: status.node('code'),
          reason: status.node('reason'),
          headers: headers(response, 'name', report),
        })
      : undefined,
  })
}

/** `[{ name, value }]`, or `[{ key, value }]` where a value is one text. */
function headers(fields: Fields, name: 'name' | 'key', report: Report): JsonNode | undefined {
  if (!fields.has('header')) return undefined
  const members: Record<string, JsonNode> = {}
  for (const at of fields.items('header')) {
    const header = new Fields(at, [name, 'value'], report)
    const key = header.text(name)
    const value = name === 'name' ? header.textsNode('value') : header.node('value')
    if (key === undefined || !value) report.error('CFG024', placeOf(at), `this header needs "${name}" and "value"`)
    else members[key] = value
  }
  return object(fields.origin('header'), members)
}

function ws(at: Origin, report: Report): JsonNode {
  const keys = [
    'path',
    'header',
    'maxEarlyData',
    'earlyDataHeaderName',
    'acceptProxyProtocol',
    'useBrowserForwarding',
    'parseXForwardedFor',
  ]
  const hint = (key: string) =>
    key === 'host' || key === 'headers' ? 'write "header": [{ "key": "Host", "value": "…" }]' : undefined
  const fields = new Fields(at, keys, report, { hint })
  return object(at, {
    path: fields.node('path'),
    headers: headers(fields, 'key', report),
    maxEarlyData: fields.numberNode('maxEarlyData'),
    earlyDataHeaderName: fields.node('earlyDataHeaderName'),
    acceptProxyProtocol: fields.node('acceptProxyProtocol'),
    useBrowserForwarding: fields.node('useBrowserForwarding'),
    parseXForwardedFor: fields.node('parseXForwardedFor'),
  })
}

function httpUpgrade(at: Origin, report: Report): JsonNode {
  const keys = ['path', 'host', 'header', 'maxEarlyData', 'earlyDataHeaderName', 'parseXForwardedFor']
  const fields = new Fields(at, keys, report)
  const early = fields.number('maxEarlyData')
  const path = fields.text('path')
  return object(at, {
    path: early
      ? text(
          fields.origin(path === undefined ? 'maxEarlyData' : 'path'),
          `${path ?? '/'}${path?.includes('?') ? '&' : '?'}ed=${early}`,
        )
      : fields.node('path'),
    host: fields.node('host'),
    headers: headers(fields, 'key', report),
    parseXForwardedFor: fields.node('parseXForwardedFor'),
  })
}

function grpc(at: Origin, report: Report): JsonNode {
  const keys = [
    'serviceName',
    'host',
    'idleTimeout',
    'healthCheckTimeout',
    'permitWithoutStream',
    'initialWindowsSize',
    'parseXForwardedFor',
  ]
  const hint = (key: string) => (key === 'multiMode' ? 'V2Ray 5 has no multi mode' : undefined)
  const fields = new Fields(at, keys, report, { hint })
  return object(at, {
    serviceName: fields.node('serviceName'),
    authority: fields.node('host'),
    idle_timeout: fields.numberNode('idleTimeout'),
    health_check_timeout: fields.numberNode('healthCheckTimeout'),
    permit_without_stream: fields.node('permitWithoutStream'),
    initial_windows_size: fields.numberNode('initialWindowsSize'),
  })
}

function h2(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['host', 'path', 'method', 'header', 'parseXForwardedFor'], report)
  return object(at, {
    host: fields.textsNode('host'),
    path: fields.node('path'),
    method: fields.node('method'),
    headers: headers(fields, 'name', report),
  })
}

const packetHeaders: Readonly<Record<string, string>> = {
  'srtp.Config': 'srtp',
  'utp.Config': 'utp',
  'wechat.VideoConfig': 'wechat-video',
  'tls.PacketConfig': 'dtls',
  'wireguard.WireguardConfig': 'wireguard',
  'noop.Config': 'none',
}

const mebibyte = 1024 * 1024

function kcp(at: Origin, report: Report): JsonNode {
  const keys = [
    'mtu',
    'tti',
    'uplinkCapacity',
    'downlinkCapacity',
    'congestion',
    'writeBuffer',
    'readBuffer',
    'seed',
    'headerConfig',
  ]
  const fields = new Fields(at, keys, report)
  const seed = fields.fields('seed', ['seed'])
  return object(at, {
    mtu: fields.wrapped('mtu'),
    tti: fields.wrapped('tti'),
    uplinkCapacity: fields.wrapped('uplinkCapacity'),
    downlinkCapacity: fields.wrapped('downlinkCapacity'),
    congestion: fields.node('congestion'),
    writeBufferSize: mebibytes(fields, 'writeBuffer'),
    readBufferSize: mebibytes(fields, 'readBuffer'),
    seed: seed.node('seed'),
    header: fields.has('headerConfig') ? packetHeader(fields.origin('headerConfig'), report) : undefined,
  })
}

/** Bytes here. */
function mebibytes(fields: Fields, key: string): JsonNode | undefined {
  const size = fields.fields(key, ['size']).number('size')
  return size === undefined ? undefined : number(fields.origin(key), Math.max(1, Math.ceil(size / mebibyte)))
}

function packetHeader(at: Origin, report: Report): JsonNode | undefined {
  const type = typeOf(at, report)
  const name = packetHeaders[type.replace('v2ray.core.transport.internet.headers.', '')]
  if (name) return object(at, { type: text(at, name) })
  if (type) report.error('CFG025', placeOf(at), `${JSON.stringify(shorten(type))} is no header of kcp`)
  return undefined
}

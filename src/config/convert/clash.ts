/** Clash's and mihomo's entry in `proxies`. */
import { formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'
import { buildLink } from '../link/build.ts'
import type { EarlyData, LinkTransport, ShareLink } from '../link/model.ts'
import { linkError } from '../link/text.ts'
import type { Losses } from './lost.ts'
import { asList, asPlain, asText, asTexts, join, type Plain, without } from './plain.ts'
import { filled } from './servers.ts'
import { Taker } from './taker.ts'

const unknown = 'VMess servers have no such thing here'

/** The VMess entries of a file: its `proxies`, a list, or one entry alone. */
export function readClash(root: unknown, losses: Losses): ShareLink[] {
  const file = asPlain(root)
  const inFile = file.proxies !== undefined
  const list = inFile ? asList(file.proxies) : asList(root)
  if (inFile)
    for (const key of Object.keys(file))
      if (key !== 'proxies') losses.say(key, file[key], 'only the entries of "proxies" are read')
  return list.flatMap((written, i) => {
    const path = inFile || Array.isArray(root) ? join(inFile ? 'proxies' : '', i) : ''
    const entry = new Taker(written, path, losses, unknown)
    if (entry.text('type').toLowerCase() === 'vmess') return [readEntry(entry)]
    losses.say(path, entry.value.type, 'only entries of the type vmess are read')
    return []
  })
}

function readEntry(entry: Taker): ShareLink {
  if (entry.value['reality-opts'] !== undefined)
    throw linkError(
      'reality-opts',
      'asks for REALITY, which needs another TLS library than Node has',
      'use a server with tls',
    )
  const transport = readTransport(entry)
  // h2 is always in TLS there, and over WebSocket the Host names the server where nothing else does.
  const secure = entry.take('tls') === true || transport.network === 'h2'
  const usual = transport.network === 'ws' || transport.network === 'httpupgrade' ? transport.host : ''
  const tls = {
    serverName: entry.text('servername') || entry.text('sni') || usual,
    alpn: entry.texts('alpn'),
    allowInsecure: entry.take('skip-cert-verify') === true,
    fingerprint: entry.text('client-fingerprint'),
    pinnedCertSha256: entry.texts('fingerprint').map((pin) => pin.replaceAll(':', '').toLowerCase()),
    verifyNames: [],
  }
  const encoding =
    entry.text('packet-encoding') ||
    (entry.take('xudp') === true ? 'xudp' : entry.take('packet-addr') === true ? 'packet' : '')
  for (const key of ['xudp', 'packet-addr', 'global-padding']) entry.take(key)
  entry.lose('smux', 'it is sing-mux, another protocol than Mux.Cool', [])
  if (entry.take('udp') === false)
    entry.losses.say(join(entry.path, 'udp'), false, 'UDP is carried where a client asks for it')
  const link = buildLink({
    name: entry.text('name'),
    address: entry.text('server'),
    port: entry.text('port'),
    id: entry.text('uuid'),
    alterId: entry.text('alterId'),
    security: entry.text('cipher'),
    experiments: entry.take('authenticated-length') === true ? 'AuthenticatedLength' : '',
    packetEncoding: encoding,
    transport,
    tls: secure ? tls : undefined,
    unknown: {},
  })
  entry.end()
  return link
}

function readTransport(entry: Taker): LinkTransport {
  const network = entry.text('network').toLowerCase() || 'tcp'
  switch (network) {
    case 'tcp':
      return { network }
    case 'ws': {
      const options = entry.inside('ws-opts')
      const headers = { ...asPlain(entry.take('ws-headers')), ...asPlain(options.take('headers')) } as Record<
        string,
        string
      >
      const upgrade = options.take('v2ray-http-upgrade') === true
      options.lose('v2ray-http-upgrade-fast-open', 'it is set by the configuration of the outbound')
      const path = options.text('path') || entry.text('ws-path') || '/'
      const bytes = Number(options.take('max-early-data') ?? 0)
      const header = options.text('early-data-header-name')
      options.end()
      return { network: upgrade ? 'httpupgrade' : 'ws', ...hostIn(headers), ...early(path, bytes, header) }
    }
    case 'http': {
      const options = entry.inside('http-opts')
      const headers = options.inside('headers')
      const host = headers.texts('Host')
      headers.end()
      options.lose('method', 'GET is asked for', ['GET'])
      const path = asTexts(options.take('path')).filter((each) => each !== '')
      options.end()
      return { network: 'tcp', http: { host, path: path.length > 0 ? path : ['/'] } }
    }
    case 'h2': {
      const options = entry.inside('h2-opts')
      const link = { network, path: options.text('path') || '/', host: options.texts('host') } as const
      options.end()
      return link
    }
    case 'grpc': {
      const options = entry.inside('grpc-opts')
      options.lose('grpc-user-agent', 'it is set by the configuration of the outbound')
      const link = { network, serviceName: options.text('grpc-service-name'), mode: 'gun', authority: '' } as const
      options.end()
      return link
    }
    default:
      throw linkError(
        'network',
        `${JSON.stringify(network)} is not a transport of VMess in Clash`,
        'write tcp, ws, http, h2 or grpc',
      )
  }
}

/** The Host, and other headers. */
export function hostIn(headers: Readonly<Record<string, unknown>>): {
  host: string
  headers?: Readonly<Record<string, string>>
} {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name, asText(asList(value)[0])])
  const isHost = ([name]: [string, string]) => name.toLowerCase() === 'host'
  const others = entries.filter((entry) => !isHost(entry))
  return {
    host: entries.find(isHost)?.[1] ?? '',
    ...(others.length > 0 && { headers: Object.fromEntries(others) }),
  }
}

/** A path with `?ed=` at its end means early data, as in V2Ray's own links. */
export function early(path: string, bytes: number, header: string): { path: string; earlyData?: EarlyData } {
  const [, base = path, inPath] = /^([^?]*)\?ed=(\d{1,9})$/.exec(path) ?? []
  const maxBytes = bytes || Number(inPath ?? 0)
  const headerName = header || (inPath ? 'Sec-WebSocket-Protocol' : '')
  return {
    path: base.startsWith('/') ? base : `/${base}`,
    ...(maxBytes > 0 && { earlyData: { maxBytes, headerName } }),
  }
}

/** Undefined where the entry cannot be written. */
export function writeClash(link: ShareLink, path: string, losses: Losses): Plain | undefined {
  const options = writeTransport(link.transport, path, losses)
  if (!options) return undefined
  const { tls, transport } = link
  if (transport.network === 'h2' && !tls) {
    losses.say(path, 'h2 without TLS', 'Clash has it with TLS only: this server is left out')
    return undefined
  }
  const named = (transport.network === 'ws' || transport.network === 'httpupgrade') && transport.host !== ''
  if (link.mux) losses.say(join(path, 'mux'), true, 'Clash has sing-mux, another protocol than Mux.Cool')
  const [pin, ...more] = tls?.pinnedCertSha256 ?? []
  if (more.length > 0) losses.say(join(path, 'pinnedPeerCertSha256'), more, 'Clash takes one fingerprint')
  if (tls && tls.verifyNames.length > 0)
    losses.say(join(path, 'verifyPeerCertByName'), tls.verifyNames, 'Clash verifies "servername"')
  if (link.experiments.includes('NoTerminationSignal'))
    losses.say(join(path, 'experiments'), link.experiments, 'Clash has no "NoTerminationSignal"')
  return {
    name: link.name,
    type: 'vmess',
    server: link.address,
    port: link.port,
    uuid: formatUuid(parseId(link.id)),
    alterId: link.alterId,
    cipher: link.security,
    udp: true,
    'global-padding': true,
    ...filled({
      'packet-encoding':
        link.packetEncoding === 'packet' ? 'packetaddr' : link.packetEncoding === 'none' ? '' : link.packetEncoding,
      'authenticated-length': link.experiments.includes('AuthenticatedLength'),
      tls: tls !== undefined,
      servername: tls && (tls.serverName || (named ? link.address : '')),
      alpn: tls?.alpn,
      'skip-cert-verify': tls?.allowInsecure,
      'client-fingerprint': tls?.fingerprint,
      fingerprint: pin,
    }),
    ...options,
  }
}

function writeTransport(transport: LinkTransport, path: string, losses: Losses): Plain | undefined {
  const refuse = (what: string): undefined => {
    losses.say(path, what, 'Clash has no such transport: this server is left out')
    return undefined
  }
  switch (transport.network) {
    case 'tcp': {
      if (!transport.http) return {}
      const { host, path: paths } = transport.http
      return {
        network: 'http',
        'http-opts': without({ method: 'GET', path: paths, headers: host.length > 0 ? { Host: host } : undefined }),
      }
    }
    case 'ws':
    case 'httpupgrade': {
      const { host, headers, earlyData } = transport
      const all = { ...(host && { Host: host }), ...headers }
      const options = {
        path: transport.path,
        ...(Object.keys(all).length > 0 && { headers: all }),
        ...(transport.network === 'httpupgrade' && { 'v2ray-http-upgrade': true }),
        ...(earlyData && {
          'max-early-data': earlyData.maxBytes,
          ...(earlyData.headerName && { 'early-data-header-name': earlyData.headerName }),
        }),
      }
      return { network: 'ws', 'ws-opts': options }
    }
    case 'h2':
      return { network: 'h2', 'h2-opts': filled({ host: transport.host, path: transport.path }) }
    case 'grpc': {
      if (transport.mode === 'multi')
        losses.say(join(path, 'multiMode'), true, 'Clash has one mode, which servers take as well')
      if (transport.authority) losses.say(join(path, 'authority'), transport.authority, 'Clash has no field for it')
      return { network: 'grpc', 'grpc-opts': { 'grpc-service-name': transport.serviceName } }
    }
    case 'other':
      return refuse(transport.name)
    default:
      return refuse(transport.network)
  }
}

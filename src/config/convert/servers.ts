/** Servers of VMess as share links hold them: the middle of all forms that hold nothing but servers. */
import {
  defaultEarlyDataHeader,
  type EarlyData,
  type LinkTls,
  type LinkTransport,
  type ShareLink,
} from '../link/model.ts'
import { type Losses, pinsLost } from './lost.ts'
import { withHeaderAndSeed } from './masks.ts'
import { asList, asPlain, asText, asTexts, isEmpty, type Plain, without } from './plain.ts'
import { Taker } from './taker.ts'

export const noTls: LinkTls = {
  serverName: '',
  alpn: [],
  allowInsecure: false,
  fingerprint: '',
  pinnedCertSha256: [],
  verifyNames: [],
}

const unknown = 'it has no place beside a server'

/** Every server and user of the VMess outbounds of a file, and what else the file holds as lost. */
export function serversOf(root: Plain, losses: Losses): ShareLink[] {
  const file = new Taker(root, '', losses, 'there is only room for servers')
  const links = asList(file.take('outbounds')).flatMap((written, i) => {
    const end = file.item('outbounds', written, i)
    if (end.text('protocol') === 'vmess') return serversOfOutbound(end)
    losses.say(end.path, end.value.protocol, 'only VMess outbounds are servers')
    return []
  })
  // jsonv5 without a word about logs is read as this.
  if (asPlain(root.log).access === 'none') file.take('log')
  file.end()
  return links
}

function serversOfOutbound(end: Taker): ShareLink[] {
  const settings = end.inside('settings')
  const { transport, tls } = streamOf(end.inside('streamSettings'))
  const tag = end.text('tag')
  const mux = end.inside('mux')
  const shared = mux.take('enabled') === true
  if (shared) mux.end()
  const packetEncoding = end.text('packetEncoding')
  const servers = asList(settings.take('vnext')).map((server, i) => settings.item('vnext', server, i))
  const links = servers.flatMap((server) => {
    const address = server.text('address')
    const port = Number(server.take('port'))
    const users = asList(server.take('users')).map((user, i) => server.item('users', user, i))
    return users.map((user): ShareLink => {
      user.lose('level', unknown, [0])
      user.lose('email', unknown)
      const link = {
        name: tag || `${address}:${port}`,
        address,
        port,
        id: user.text('id'),
        alterId: Number(user.take('alterId') ?? 0),
        security: user.text('security').toLowerCase() || 'auto',
        transport,
        ...(tls && { tls }),
        experiments: user.text('experiments'),
        ...(packetEncoding && { packetEncoding: packetEncoding as 'none' | 'packet' | 'xudp' }),
        mux: shared,
        unknown: {},
      }
      user.end()
      return link
    })
  })
  settings.end()
  end.end()
  return links
}

function streamOf(stream: Taker): { transport: LinkTransport; tls?: LinkTls } {
  const secure = stream.text('security') === 'tls'
  const tls = secure ? tlsOf(stream.inside('tlsSettings')) : undefined
  const transport = transportOf(stream.text('network') || 'tcp', stream)
  for (const key of Object.keys(asPlain(stream.value.sockopt))) stream.inside('sockopt').lose(key, unknown, [0])
  stream.take('sockopt')
  stream.end()
  return { transport, ...(tls && { tls }) }
}

function tlsOf(fields: Taker): LinkTls {
  const tls = {
    serverName: fields.text('serverName'),
    alpn: fields.texts('alpn'),
    allowInsecure: insecureOf(fields, 'allowInsecure', otherPins),
    fingerprint: fields.text('fingerprint'),
    pinnedCertSha256: fields.texts('pinnedPeerCertSha256').map((pin) => pin.replaceAll(':', '').toLowerCase()),
    verifyNames: [...fields.texts('verifyPeerCertByName'), ...fields.texts('verifyPeerCertInNames')],
  }
  fields.end()
  return tls
}

/** Pins that links have no word for. */
const otherPins = ['pinnedPeerCertificateChainSha256', 'pinnedPeerCertificatePublicKeySha256']

/** Whether the server is not verified, and no pins are lost that stood in for that. */
export function insecureOf(fields: Taker, key: string, pins: readonly string[]): boolean {
  if (fields.take(key) !== true) return false
  if (pins.every((each) => isEmpty(fields.value[each]))) return true
  fields.losses.say(`${fields.path}.${key}`, true, pinsLost)
  return false
}

function transportOf(network: string, stream: Taker): LinkTransport {
  switch (network) {
    case 'tcp': {
      const settings = stream.inside('tcpSettings')
      const header = settings.inside('header')
      const http = header.text('type') === 'http' ? requestOf(header) : undefined
      header.end()
      settings.end()
      return { network, ...(http && { http }) }
    }
    case 'kcp': {
      stream.take('finalmask')
      stream.take('kcpSettings')
      const masked = asPlain(withHeaderAndSeed(stream.value)?.kcpSettings)
      const fields = new Taker(masked, `${stream.path}.kcpSettings`, stream.losses, unknown)
      const capacity = (key: string) => (masked[key] === undefined ? {} : { [key]: Number(fields.take(key)) })
      const link = {
        network,
        headerType: fields.inside('header').text('type') || 'none',
        seed: fields.text('seed'),
        ...capacity('uplinkCapacity'),
        ...capacity('downlinkCapacity'),
      } as const
      fields.end()
      return link
    }
    case 'ws':
      return { network, ...upgrade(stream.inside('wsSettings')) }
    case 'httpupgrade':
      return { network, ...upgrade(stream.inside('httpupgradeSettings')) }
    case 'grpc': {
      const fields = stream.inside('grpcSettings')
      const multi = fields.take('multiMode') === true
      const link = {
        network,
        serviceName: fields.text('serviceName'),
        mode: multi ? 'multi' : 'gun',
        authority: fields.text('authority'),
      } as const
      fields.end()
      return link
    }
    case 'h2': {
      const fields = stream.inside('httpSettings')
      const link = { network, path: slashed(fields.text('path')), host: fields.texts('host') } as const
      fields.end()
      return link
    }
    case 'xhttp': {
      const { path, host, mode, extra, ...rest } = asPlain(stream.take('xhttpSettings'))
      const more = { ...rest, ...asPlain(extra) }
      return {
        network,
        path: slashed(asText(path)),
        host: asText(host),
        mode: asText(mode) || 'auto',
        ...(Object.keys(more).length > 0 && { extra: more }),
      }
    }
    default: {
      const key = Object.keys(stream.value).find((each) => each.endsWith('Settings') && each !== 'tlsSettings') ?? ''
      return { network: 'other', name: network, key, settings: asPlain(stream.take(key)) }
    }
  }
}

const slashed = (path: string): string => (path.startsWith('/') ? path : `/${path}`)

function requestOf(header: Taker): { host: string[]; path: string[] } {
  const request = header.inside('request')
  const path = asTexts(request.take('path'))
    .filter((each) => each !== '')
    .map(slashed)
  const headers = request.inside('headers')
  const host = headers.texts('Host')
  headers.end()
  request.end()
  return { host, path: path.length > 0 ? path : ['/'] }
}

function upgrade(fields: Taker): {
  path: string
  host: string
  earlyData?: EarlyData
  headers?: Readonly<Record<string, string>>
} {
  const written = slashed(fields.text('path'))
  const [, path = written, inPath] = /^([^?]*)\?ed=(\d{1,9})$/.exec(written) ?? []
  const named = Object.entries(asPlain(fields.take('headers'))) as [string, string][]
  const isHost = ([name]: [string, string]) => name.toLowerCase() === 'host'
  const host = fields.text('host') || (named.find(isHost)?.[1] ?? '')
  const others = named.filter((entry) => !isHost(entry))
  const bytes = Number(inPath ?? fields.take('maxEarlyData') ?? 0)
  const header = fields.text('earlyDataHeaderName') || (inPath ? defaultEarlyDataHeader : '')
  fields.take('maxEarlyData')
  fields.end()
  return {
    path,
    host,
    ...(bytes > 0 && { earlyData: { maxBytes: bytes, headerName: header } }),
    ...(others.length > 0 && { headers: Object.fromEntries(others) }),
  }
}

/** Members with something in them. */
export const filled = (members: Plain): Plain =>
  Object.fromEntries(
    Object.entries(without(members)).filter(
      ([, value]) => value !== '' && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  )

/** sing-box's outbound of the type vmess. */
import { formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'
import { buildLink } from '../link/build.ts'
import type { LinkTls, LinkTransport, ShareLink } from '../link/model.ts'
import { linkError } from '../link/text.ts'
import { early, hostIn } from './clash.ts'
import { type Losses, pinsLost } from './lost.ts'
import { asList, asPlain, asTexts, join, type Plain, without } from './plain.ts'
import { filled, insecureOf, noTls } from './servers.ts'
import { Taker } from './taker.ts'

const unknown = 'VMess servers have no such thing here'

/** The VMess outbounds of a file, of a list, or one alone. */
export function readSingBox(root: unknown, losses: Losses): ShareLink[] {
  const file = asPlain(root)
  const inFile = file.outbounds !== undefined
  const list = inFile ? asList(file.outbounds) : asList(root)
  if (inFile)
    for (const key of Object.keys(file)) if (key !== 'outbounds') losses.say(key, file[key], 'only outbounds are read')
  return list.flatMap((written, i) => {
    const path = inFile || Array.isArray(root) ? join(inFile ? 'outbounds' : '', i) : ''
    const end = new Taker(written, path, losses, unknown)
    if (end.text('type') === 'vmess') return [readOutbound(end)]
    losses.say(path, end.value.type, 'only outbounds of the type vmess are read')
    return []
  })
}

function readOutbound(end: Taker): ShareLink {
  const transport = readTransport(end.inside('transport'))
  const multiplex = asPlain(end.take('multiplex'))
  if (multiplex.enabled === true)
    end.losses.say(join(end.path, 'multiplex'), multiplex, 'it is sing-mux, another protocol than Mux.Cool')
  end.take('global_padding')
  end.lose('network', 'what a client asks for is carried, TCP and UDP')
  const encoding = end.text('packet_encoding')
  const link = buildLink({
    name: end.text('tag'),
    address: end.text('server'),
    port: end.text('server_port'),
    id: end.text('uuid'),
    alterId: end.text('alter_id'),
    security: end.text('security'),
    experiments: end.take('authenticated_length') === true ? 'AuthenticatedLength' : '',
    packetEncoding: encoding,
    transport,
    tls: readTls(end.inside('tls')),
    unknown: {},
  })
  end.end()
  return link
}

function readTls(fields: Taker): LinkTls | undefined {
  if (fields.take('enabled') !== true) return undefined
  const reality = asPlain(fields.take('reality'))
  if (reality.enabled === true)
    throw linkError(
      'tls.reality',
      'asks for REALITY, which needs another TLS library than Node has',
      'use a server with plain TLS',
    )
  const utls = asPlain(fields.take('utls'))
  const tls = {
    ...noTls,
    serverName: fields.text('server_name'),
    alpn: fields.texts('alpn'),
    allowInsecure: insecureOf(fields, 'insecure', ['certificate_public_key_sha256']),
    fingerprint: utls.enabled === true ? String(utls.fingerprint ?? '') : '',
  }
  fields.end()
  return tls
}

function readTransport(fields: Taker): LinkTransport {
  const type = fields.text('type')
  const path = fields.text('path') || '/'
  const read = (): LinkTransport => {
    switch (type) {
      case '':
        return { network: 'tcp' }
      case 'ws':
        return {
          network: 'ws',
          ...hostIn(asPlain(fields.take('headers'))),
          ...early(path, Number(fields.take('max_early_data') ?? 0), fields.text('early_data_header_name')),
        }
      case 'httpupgrade': {
        const { host, headers } = hostIn(asPlain(fields.take('headers')))
        return {
          network: 'httpupgrade',
          path: path.startsWith('/') ? path : `/${path}`,
          host: fields.text('host') || host,
          ...(headers && { headers }),
        }
      }
      case 'http':
        fields.lose('method', 'PUT is asked for', ['PUT'])
        return { network: 'h2', path, host: asTexts(fields.take('host')).filter((host) => host !== '') }
      case 'grpc':
        return { network: 'grpc', serviceName: fields.text('service_name'), mode: 'gun', authority: '' }
      default:
        throw linkError(
          'transport.type',
          `${JSON.stringify(type)} is not available here`,
          'use ws, http, grpc or httpupgrade',
        )
    }
  }
  const transport = read()
  fields.end()
  return transport
}

/** Undefined where the outbound cannot be written. */
export function writeSingBox(link: ShareLink, path: string, losses: Losses): Plain | undefined {
  const transport = writeTransport(link.transport, path, losses)
  if (!transport) return undefined
  if (link.mux) losses.say(join(path, 'mux'), true, 'sing-box has sing-mux, another protocol than Mux.Cool')
  if (link.security === 'aes-128-cfb') {
    losses.say(path, link.security, 'sing-box has no such cipher: this server is left out')
    return undefined
  }
  if (link.experiments.includes('NoTerminationSignal'))
    losses.say(join(path, 'experiments'), link.experiments, 'sing-box has no "NoTerminationSignal"')
  const { tls } = link
  if (tls && tls.pinnedCertSha256.length > 0)
    losses.say(
      join(path, 'pinnedPeerCertSha256'),
      tls.pinnedCertSha256,
      'sing-box pins public keys, not certificates: trust the certificate with "tls.certificate"',
    )
  if (tls && tls.verifyNames.length > 0)
    losses.say(join(path, 'verifyPeerCertByName'), tls.verifyNames, 'sing-box verifies "server_name"')
  return {
    type: 'vmess',
    tag: link.name,
    server: link.address,
    server_port: link.port,
    uuid: formatUuid(parseId(link.id)),
    security: link.security,
    alter_id: link.alterId,
    global_padding: true,
    ...filled({
      authenticated_length: link.experiments.includes('AuthenticatedLength'),
      packet_encoding:
        link.packetEncoding === 'packet' ? 'packetaddr' : link.packetEncoding === 'none' ? '' : link.packetEncoding,
    }),
    ...(tls && { tls: writeTls(tls, link.address, path, losses) }),
    ...transport,
  }
}

/** sing-box sends no name where the server is an address and none is written. */
function writeTls(tls: LinkTls, address: string, path: string, losses: Losses): Plain {
  const pinned = tls.pinnedCertSha256.length > 0
  if (tls.allowInsecure && pinned) losses.say(join(path, 'allowInsecure'), true, pinsLost)
  return {
    enabled: true,
    ...filled({
      server_name: tls.serverName || address,
      insecure: tls.allowInsecure && !pinned,
      alpn: tls.alpn,
      utls: tls.fingerprint ? { enabled: true, fingerprint: tls.fingerprint } : undefined,
    }),
  }
}

function writeTransport(transport: LinkTransport, path: string, losses: Losses): Plain | undefined {
  const refuse = (what: string): undefined => {
    losses.say(path, what, 'sing-box has no such transport: this server is left out')
    return undefined
  }
  switch (transport.network) {
    case 'tcp':
      return transport.http ? refuse('tcp with the http header') : {}
    case 'ws': {
      const headers = { ...(transport.host && { Host: transport.host }), ...transport.headers }
      const { earlyData } = transport
      return {
        transport: without({
          type: 'ws',
          path: transport.path,
          headers: Object.keys(headers).length > 0 ? headers : undefined,
          max_early_data: earlyData?.maxBytes,
          early_data_header_name: earlyData?.headerName || undefined,
        }),
      }
    }
    case 'httpupgrade':
      if (transport.earlyData)
        losses.say(join(path, 'earlyData'), transport.earlyData, 'sing-box has none with httpupgrade')
      return {
        transport: without({
          type: 'httpupgrade',
          path: transport.path,
          host: transport.host || undefined,
          headers: transport.headers,
        }),
      }
    case 'h2':
      return { transport: { type: 'http', ...filled({ host: transport.host, path: transport.path, method: 'PUT' }) } }
    case 'grpc':
      if (transport.mode === 'multi')
        losses.say(join(path, 'multiMode'), true, 'sing-box has one mode, which servers take as well')
      if (transport.authority) losses.say(join(path, 'authority'), transport.authority, 'sing-box has no field for it')
      return { transport: { type: 'grpc', service_name: transport.serviceName } }
    case 'other':
      return refuse(transport.name)
    default:
      return refuse(transport.network)
  }
}

/**
 * `vmess://` + base64 of a JSON object: the form that v2rayN writes and everybody reads. Numbers and strings are both
 * accepted for every field; written are strings only, in the order of the table in docs/links.md.
 */
import type { Kinds } from '../../kinds/kinds.ts'
import { formatUuid, parseId } from '../../protocol/vmess/users/identity.ts'
import { buildLink } from './build.ts'
import { fieldText, isList, readJsonObject } from './json.ts'
import type { LinkTls, LinkTransport, ShareLink } from './model.ts'
import { partNames, takeSecurity, takeTls } from './names.ts'
import { Params } from './query.ts'
import { encodeBase64, linkError, readAddress, readList, splitHostPort } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { otherFields, pathWithEarlyData, readNetwork, readTransport } from './transport.ts'

const names = { address: '"add"', port: '"port"', id: '"id"', alterId: '"aid"' }

/** `fragment` is the name when the object has none. */
export function readV2rayN(json: string, fragment: string): ShareLink {
  const object = readJsonObject(json, 'the base64 part')
  const fields = new Params(Object.entries(object).map(([key, value]) => [key, readField(key, value)]))
  const address = readAddress(fields.take(...partNames.address), names.address)
  const { host, path } = hostAndPath(fields)
  const type = fields.take('type')
  const headerType = fields.take(...partNames.headerType)
  if (fields.take('pbk') !== '') readTlsSwitch('reality', '"pbk"')
  const network = fields.take(...partNames.network)
  const transport = readTransport({
    part: '"net"',
    network,
    headerType: type || headerType,
    mode: fields.take('mode') || type,
    host,
    path,
    seed: fields.take('seed') || path,
    key: fields.take('key') || path,
    quicSecurity: fields.take('quicSecurity') || host,
    serviceName: fields.take(...partNames.serviceName) || path,
    authority: fields.take('authority') || host,
    extra: readNetwork(network) === 'xhttp' ? fields.take('extra') : '',
    ed: fields.take('ed'),
    eh: fields.take('eh'),
  })
  const security = takeSecurity(fields, '"security"')
  const tlsWords = takeTls(fields, address)
  const fromHost = security.tls && transport.network !== 'quic' ? serverNameFrom(host) : ''
  return buildLink(
    {
      name: fields.take(...partNames.name) || fragment,
      address,
      port: fields.take(...partNames.port),
      id: fields.take(...partNames.id),
      alterId: fields.take(...partNames.alterId),
      security: security.cipher,
      experiments: fields.take('experiments'),
      packetEncoding: fields.take('packetEncoding'),
      transport,
      tls: security.tls ? readTls({ ...tlsWords, serverName: tlsWords.serverName || fromHost }) : undefined,
      unknown: fields.rest(),
    },
    names,
  )
}

function readField(key: string, value: unknown): string {
  if (typeof value === 'object' && value !== null && !isList(value) && understood.has(key)) {
    throw linkError(`"${key}"`, 'is an object or list', 'write a string')
  }
  return fieldText(value)
}

/** Fields whose text has a meaning; an object in any other field is just kept. */
const understood: ReadonlySet<string> = new Set([
  ...Object.values(partNames).flat(),
  ...'v type tls security sni peer alpn fp insecure allowInsecure vcn pcs mode seed authority'.split(' '),
])

/** Version 1 had no field for the path of ws and h2: `host` holds `path;host`. No Host header begins with a slash. */
function hostAndPath(fields: Params): { host: string; path: string } {
  const host = fields.take(...partNames.host)
  const path = fields.take(...partNames.path)
  const version = fields.take('v')
  const network = readNetwork(fields.take(...partNames.network))
  const first = version !== '' && Number(version) < 2 && (network === 'ws' || network === 'h2')
  const slash = path === '' && host.startsWith('/') && network !== 'quic' && network !== 'grpc'
  if (!first && !slash) return { host, path }
  const [head = '', ...others] = host.split(';')
  return { host: others.join(';').trim(), path: head.trim() }
}

/** Without "sni", the first Host header names the server; a port in it is not part of the name. */
function serverNameFrom(host: string): string {
  const first = readList(host)[0] ?? ''
  const bare = /^[^:]+:\d+$/.test(first) ? splitHostPort(first).host : first
  try {
    return bare === '' ? '' : readAddress(bare, '"host"')
  } catch {
    return ''
  }
}

/** Refuses what this form has no place for. A custom id is written as its UUID, because many readers know no other. */
export function writeV2rayN(link: ShareLink, kinds: Kinds): string {
  const absent = [
    link.experiments !== '' && 'experiments',
    link.packetEncoding !== undefined && 'packetEncoding',
    link.mux && 'mux',
    link.transport.network === 'kcp' && link.transport.uplinkCapacity !== undefined && 'uplinkCapacity',
    link.transport.network === 'kcp' && link.transport.downlinkCapacity !== undefined && 'downlinkCapacity',
    'headers' in link.transport && link.transport.headers !== undefined && 'headers',
  ].find((name) => name !== false)
  if (absent) throw linkError(absent, 'has no place in a v2rayN link', 'leave it out, or share the configuration file')
  const { type, host, path } = transportFields(link.transport, kinds)
  const fields = {
    v: '2',
    ps: link.name,
    add: link.address,
    port: String(link.port),
    id: formatUuid(parseId(link.id)),
    aid: String(link.alterId),
    scy: link.security,
    net: link.transport.network === 'other' ? link.transport.name : link.transport.network,
    type,
    host,
    path,
    ...extraField(link.transport),
    ...tlsFields(link, host),
  }
  return `vmess://${encodeBase64(JSON.stringify(fields))}`
}

function transportFields(transport: LinkTransport, kinds: Kinds): { type: string; host: string; path: string } {
  switch (transport.network) {
    case 'tcp':
      if (!transport.http) return { type: 'none', host: '', path: '' }
      return { type: 'http', host: transport.http.host.join(','), path: transport.http.path.join(',') }
    case 'kcp':
      return { type: transport.headerType, host: '', path: transport.seed }
    case 'ws':
    case 'httpupgrade':
      return { type: 'none', host: transport.host, path: pathWithEarlyData(transport.path, transport.earlyData) }
    case 'xhttp':
      return { type: transport.mode, host: transport.host, path: transport.path }
    case 'h2':
      return { type: 'none', host: transport.host.join(','), path: transport.path }
    case 'quic':
      return { type: transport.headerType, host: transport.security, path: transport.key }
    case 'grpc':
      return { type: transport.mode, host: transport.authority, path: transport.serviceName }
    case 'other':
      return otherFields(transport, kinds)
  }
}

/** Beside what v2rayN knows, so that at least readers like this one have it. */
const extraField = (transport: LinkTransport): { extra?: string } =>
  transport.network === 'xhttp' && transport.extra ? { extra: JSON.stringify(transport.extra) } : {}

function tlsFields(link: ShareLink, host: string): Record<string, string> {
  const tls: LinkTls | undefined = link.tls
  if (!tls) return { tls: '', sni: '', alpn: '', fp: '' }
  // An empty "sni" would make readers take the Host header for the server name.
  const sni = tls.serverName || (host === '' ? '' : link.address)
  return {
    tls: 'tls',
    sni,
    alpn: tls.alpn.join(','),
    fp: tls.fingerprint,
    insecure: tls.allowInsecure ? '1' : '0',
    ...(tls.verifyNames.length > 0 ? { vcn: tls.verifyNames.join(',') } : {}),
    ...(tls.pinnedCertSha256.length > 0 ? { pcs: tls.pinnedCertSha256.join(',') } : {}),
  }
}

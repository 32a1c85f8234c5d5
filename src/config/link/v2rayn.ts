/**
 * `vmess://` + base64 of a JSON object: the form that v2rayN writes and everybody reads. Numbers and strings are both
 * accepted for every field; written are strings only, in the order of the table in docs/links.md.
 */
import { formatUuid, parseId } from '../../protocol/vmess/identity.ts'
import { buildLink } from './build.ts'
import type { LinkTls, LinkTransport, ShareLink } from './model.ts'
import { Params } from './query.ts'
import { encodeBase64, linkError, readAddress, readList, splitHostPort } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { pathWithEarlyData, readNetwork, readTransport } from './transport.ts'

const names = { address: '"add"', port: '"port"', id: '"id"', alterId: '"aid"' }

/** `fragment` is the name when the object has none. */
export function readV2rayN(json: string, fragment: string): ShareLink {
  const fields = new Params(Object.entries(parseObject(json)).map(([key, value]) => [key, fieldText(key, value)]))
  const address = readAddress(fields.take('add'), names.address)
  const { host, path } = hostAndPath(fields)
  const type = fields.take('type')
  const network = fields.take('net')
  const transport = readTransport({
    part: '"net"',
    network,
    headerType: type,
    mode: type,
    host,
    path,
    seed: path,
    key: path,
    quicSecurity: host,
    serviceName: path,
    authority: host,
  })
  const on = readTlsSwitch(fields.take('tls'), '"tls"')
  const sni = fields.take('sni')
  const tlsWords = {
    address,
    serverName: sni || (on && transport.network !== 'quic' ? serverNameFrom(host) : ''),
    alpn: fields.take('alpn'),
    allowInsecure: fields.take('insecure', 'allowInsecure', 'skip-cert-verify') || inverse(fields.take('verify_cert')),
    fingerprint: fields.take('fp'),
    verifyNames: fields.take('vcn'),
    pins: fields.take('pcs'),
  }
  return buildLink(
    {
      name: fields.take('ps') || fragment,
      address,
      port: fields.take('port'),
      id: fields.take('id'),
      alterId: fields.take('aid'),
      security: fields.take('scy', 'security', 'cipher'),
      experiments: fields.take('experiments'),
      packetEncoding: fields.take('packetEncoding'),
      transport,
      tls: on ? readTls(tlsWords) : undefined,
      unknown: fields.rest(),
    },
    names,
  )
}

function parseObject(json: string): object {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // The parser's own message quotes the text, and with it the id.
    throw linkError('the base64 part', 'holds broken JSON', 'copy the link again, whole')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw linkError('the base64 part', 'is not a JSON object', 'copy the link again, whole')
}

function fieldText(key: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value.trim()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(',')
  if (understood.has(key)) throw linkError(`"${key}"`, 'is an object or list', 'write a string')
  return JSON.stringify(value)
}

/** Fields whose text has a meaning; an object in any other field is just kept. */
const understood: ReadonlySet<string> = new Set(
  'v ps add port id aid scy security cipher net type host path tls sni alpn fp insecure vcn pcs'.split(' '),
)

/** Version 1 had no field for the path of ws and h2: `host` holds `path;host`. */
function hostAndPath(fields: Params): { host: string; path: string } {
  const host = fields.take('host')
  const path = fields.take('path')
  const version = fields.take('v')
  const network = readNetwork(fields.take('net'), '"net"')
  if (version === '' || !(Number(version) < 2) || (network !== 'ws' && network !== 'h2')) return { host, path }
  const [first = '', ...others] = host.split(';')
  return { host: others.join(';').trim(), path: first.trim() }
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

const inverse = (flag: string) =>
  flag === '' ? '' : ['0', 'false', 'no', 'off'].includes(flag.toLowerCase()) ? '1' : '0'

/** Refuses what this form has no place for. A custom id is written as its UUID, because many readers know no other. */
export function writeV2rayN(link: ShareLink): string {
  const absent = [
    link.experiments !== '' && 'experiments',
    link.packetEncoding !== undefined && 'packetEncoding',
    link.mux && 'mux',
    link.transport.network === 'kcp' && link.transport.uplinkCapacity !== undefined && 'uplinkCapacity',
    link.transport.network === 'kcp' && link.transport.downlinkCapacity !== undefined && 'downlinkCapacity',
  ].find((name) => name !== false)
  if (absent) throw linkError(absent, 'has no place in a v2rayN link', 'leave it out, or share the configuration file')
  const { type, host, path } = transportFields(link.transport)
  const fields = {
    v: '2',
    ps: link.name,
    add: link.address,
    port: String(link.port),
    id: formatUuid(parseId(link.id)),
    aid: String(link.alterId),
    scy: link.security,
    net: link.transport.network,
    type,
    host,
    path,
    ...tlsFields(link, host),
  }
  return `vmess://${encodeBase64(JSON.stringify(fields))}`
}

function transportFields(transport: LinkTransport): { type: string; host: string; path: string } {
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
  }
}

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

/** `streamSettings`: which layers carry a protocol. */

import type { z } from 'zod'
import { lookUp } from '../../core/lookup.ts'
import type { Context } from '../../schema/context.ts'
import { decode } from '../../schema/decode.ts'
import { oneOf } from '../../schema/expected.ts'
import { anyObject, object, openWord, refused, subtree, text } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { JsonNode } from '../../schema/tree.ts'
import type { InboundStreamConfig, OutboundStreamConfig } from '../../settings/model.ts'
import { buildSockopt, sockoptSchema } from '../../transport/sockopt-config.ts'
import { checkTcp, tcpSchema } from '../../transport/tcp/config.ts'
import { buildClientTls, buildServerTls } from '../../transport/tls/build-config.ts'
import { tlsSchema } from '../../transport/tls/config.ts'

/** Transports of this version: name, and other spellings. */
const transports = [{ name: 'tcp', aliases: ['raw'] }] as const

/** Transports that V2Ray or Xray have. */
const otherTransports: Readonly<Record<string, string>> = {
  ws: 'WebSocket',
  websocket: 'WebSocket',
  httpupgrade: 'HTTPUpgrade',
  grpc: 'gRPC',
  gun: 'gRPC',
  h2: 'HTTP/2',
  http: 'HTTP/2',
  xhttp: 'XHTTP',
  splithttp: 'XHTTP',
  kcp: 'mKCP',
  mkcp: 'mKCP',
  ds: 'domain socket',
  domainsocket: 'domain socket',
  quic: 'QUIC',
  hysteria: 'Hysteria',
  hysteria2: 'Hysteria',
  hy2: 'Hysteria',
}

/** Settings of transports that are not available, with the names of the transports. */
const otherSettings = {
  wsSettings: anyObject('WebSocket.'),
  httpupgradeSettings: anyObject('HTTPUpgrade.'),
  grpcSettings: anyObject('gRPC.'),
  gunSettings: anyObject('gRPC.'),
  httpSettings: anyObject('HTTP/2.'),
  xhttpSettings: anyObject('XHTTP.'),
  splithttpSettings: anyObject('XHTTP.'),
  kcpSettings: anyObject('mKCP.'),
  dsSettings: anyObject('Domain socket.'),
  quicSettings: anyObject('QUIC.'),
  hysteriaSettings: anyObject('Hysteria.'),
} as const

const names = transports.flatMap(({ name, aliases }) => [name, ...aliases])

export const streamSchema = object({
  network: openWord(names, 'Transport. Default: tcp.'),
  method: openWord(names, 'Xray’s newer name of network; it wins.'),
  security: openWord(['none', 'tls'], 'What protects the transport. Default: none.'),
  tlsSettings: subtree('TLS.'),
  tcpSettings: tcpSchema,
  rawSettings: tcpSchema.describe('Xray’s name of tcpSettings; it wins.'),
  sockopt: sockoptSchema,
  realitySettings: anyObject('REALITY.'),
  ...otherSettings,
  finalmask: refused(
    anyObject('Layers that disguise the bytes.'),
    'it is not supported, and the other end waits for it',
  ),
  address: text('Only of use inside xhttp.'),
  port: subtree('Only of use inside xhttp.'),
}).describe('How bytes travel below the protocol.')
type StreamInput = z.output<typeof streamSchema>

/** What a stream stands in: `tcpSettings` of the old top-level `transport` fill in for absent ones. */
export interface StreamDefaults {
  readonly tcp?: z.output<typeof tcpSchema> | undefined
}

/** Decodes `tlsSettings` apart, for a plain stream has no use for it. */
function tlsOf(input: StreamInput, owner: Place, context: Context) {
  const node = input.tlsSettings as JsonNode | undefined
  const place = context.report.at(input, 'tlsSettings')
  const decoded = node ? decode(tlsSchema, node, place.path, context.report) : undefined
  if (decoded || node) return decoded
  const empty: z.output<typeof tlsSchema> = {}
  context.report.remember(empty, { ...owner, path: `${owner.path}.tlsSettings` }, new Map())
  return empty
}

export function buildInboundStream(
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  context: Context,
): InboundStreamConfig | undefined {
  const sockopt = buildSockopt(input?.sockopt, context)
  const secure = checkStream(input, defaults, context)
  if (!input || !secure) return { network: 'tcp', sockopt }
  const tls = tlsOf(input, context.report.at(input), context)
  return tls && { network: 'tcp', tls: buildServerTls(tls, context), sockopt }
}

export function buildOutboundStream(
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  context: Context,
): OutboundStreamConfig | undefined {
  const sockopt = buildSockopt(input?.sockopt, context)
  const secure = checkStream(input, defaults, context)
  if (!input || !secure) return { network: 'tcp', sockopt }
  const tls = tlsOf(input, context.report.at(input), context)
  return tls && { network: 'tcp', tls: buildClientTls(tls, context), sockopt }
}

/** Checks everything but TLS itself. True when TLS is asked for. */
function checkStream(input: StreamInput | undefined, defaults: StreamDefaults, context: Context): boolean {
  const { report } = context
  if (!input) {
    if (defaults.tcp) checkTcp(defaults.tcp, context)
    return false
  }
  const known = checkNetwork(input, context)
  const tcp = input.rawSettings ?? input.tcpSettings ?? defaults.tcp
  if (input.rawSettings && input.tcpSettings) {
    report.warn('CFG035', report.at(input, 'tcpSettings'), '"tcpSettings" is ignored because "rawSettings" is there')
  }
  if (known && tcp) checkTcp(tcp, context)
  const secure = checkSecurity(input, context)
  for (const key of Object.keys(otherSettings) as (keyof typeof otherSettings)[]) {
    if (!known || saysNothing(input[key])) continue
    report.warn('CFG104', report.at(input, key), `"${key}" has no effect: the transport is tcp`)
  }
  if (!secure && !isEmptyNode(input.tlsSettings)) {
    const message = '"tlsSettings" has no effect: "security" is not "tls"'
    report.warn('CFG104', report.at(input, 'tlsSettings'), message, 'write "security": "tls" beside it')
  }
  if (!saysNothing(input.realitySettings) && input.security?.toLowerCase() !== 'reality') {
    report.warn(
      'CFG104',
      report.at(input, 'realitySettings'),
      '"realitySettings" has no effect: "security" is not "reality"',
    )
  }
  return secure
}

/** Absent, or an object without members. */
const saysNothing = (value: object | undefined): boolean => value === undefined || Object.keys(value).length === 0
const isEmptyNode = (node: JsonNode | undefined): boolean =>
  node === undefined || (node.type === 'object' && node.entries.length === 0)

/** True for a transport of this version. */
function checkNetwork(input: StreamInput, { report }: Context): boolean {
  const key = input.method === undefined ? 'network' : 'method'
  const place = report.at(input, key)
  if (input.method !== undefined && input.network !== undefined && input.method !== input.network) {
    report.warn('CFG035', report.at(input, 'network'), '"network" is ignored because "method" is there')
  }
  const written = input[key]
  if (written === undefined) return !report.wrote(input, key)
  const word = written.toLowerCase()
  if (word === '') {
    const message = `"${key}" is empty, which V2Ray and Xray refuse; expected ${oneOf(names)}`
    report.error('CFG100', place, message, `leave "${key}" out for tcp`)
    return false
  }
  if ((names as readonly string[]).includes(word)) return true
  const other = lookUp(otherTransports, word)
  if (other) {
    const message = `"${word}": the ${other} transport is not available in this version, only ${oneOf(names)}`
    report.error('CFG033', place, message, lookUp(networkNotes, word))
  } else {
    const all = [...names, ...Object.keys(otherTransports)]
    const message = `unknown transport ${JSON.stringify(shorten(written))}, expected ${oneOf(names)}`
    report.error('CFG100', place, message, didYouMean(word, all))
  }
  return false
}

const networkNotes: Readonly<Record<string, string>> = {
  grpc: 'V2Ray 4.34 has no gRPC either',
  gun: 'V2Ray 4.34 has no gRPC either',
}

/** Words of the field with the same name in a user. Whoever writes one here does not ask for TLS. */
const ciphers = ['auto', 'aes-128-gcm', 'aes-128-cfb', 'chacha20-poly1305', 'zero']

/** True for TLS. */
function checkSecurity(input: StreamInput, { report }: Context): boolean {
  const word = (input.security ?? '').trim().toLowerCase()
  if (word === 'tls') return true
  if (word === '' || word === 'none') return false
  const place = report.at(input, 'security')
  if (ciphers.includes(word)) {
    const message = `"${word}" is an encryption of VMess: V2Ray takes it for "none" here, Xray refuses it`
    report.warn('CFG101', place, message, 'leave it out, or write "tls"; the encryption of VMess stands with the user')
    return false
  }
  if (word === 'reality' || word === 'xtls') {
    const message = `"${word}" is not supported: Node’s TLS cannot do it; expected "none" or "tls"`
    report.error('CFG034', place, message)
  } else {
    const message = `unknown security ${JSON.stringify(shorten(word))}, expected "none" or "tls"`
    report.error('CFG101', place, message, didYouMean(word, ['none', 'tls', 'reality']))
  }
  return false
}

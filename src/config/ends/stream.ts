/** `streamSettings`: which layers carry a protocol. */

import type { z } from 'zod'
import {
  type Kinds,
  perKinds,
  plainTransport,
  settingsKey,
  type TransportKind,
  transportNames,
  transportOf,
} from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { decode } from '../../schema/decode.ts'
import { anyObject, object, openWord, subtree, text } from '../../schema/fields.ts'
import { type FinalmaskInput, finalmaskSchema } from '../../schema/parts/finalmask.ts'
import type { Place } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import type { InboundStreamConfig, OutboundStreamConfig } from '../../settings/model.ts'
import {
  buildInboundSockopt,
  buildOutboundSockopt,
  buildTrust,
  sockoptSchema,
  trustWithoutEffect,
} from '../../transport/sockopt-config.ts'
import { checkAlpn } from './alpn.ts'
import { fallbackSchema, readFallback } from './fallback.ts'
import { otherSettings, readNetwork } from './network.ts'
import { checkSecurity } from './security.ts'

/** Settings of every transport there is, under all their names. */
export const transportFields = ({ transports }: Kinds): Record<string, z.ZodType> =>
  Object.fromEntries(
    transports.flatMap(({ settingsKeys, schema }) =>
      Object.entries(settingsKeys).map(([key, note]) => [key, note === undefined ? schema : schema.describe(note)]),
    ),
  )

/** The type knows only what does not depend on kinds: settings of transports are got at by their names. */
const shapeOf = (kinds: Kinds) => ({
  network: openWord(transportNames(kinds), 'Transport. Default: tcp.'),
  method: openWord(transportNames(kinds), 'Xray’s newer name of network; it wins.'),
  security: openWord(['none', 'tls'], 'What protects the transport. Default: none.'),
  tlsSettings: subtree('TLS.'),
  ...(transportFields(kinds) as object),
  sockopt: sockoptSchema,
  fallback: fallbackSchema,
  realitySettings: anyObject('REALITY.'),
  ...(idleFields(kinds) as object),
  finalmask: finalmaskSchema,
  address: text('Only of use inside xhttp.'),
  port: subtree('Only of use inside xhttp.'),
})

/** Settings of transports that are not available. */
const idleFields = (kinds: Kinds): Record<string, z.ZodType> => {
  const available = new Set(settingsKeys(kinds))
  return Object.fromEntries(Object.entries(otherSettings).filter(([key]) => !available.has(key)))
}

const settingsKeys = ({ transports }: Kinds): string[] => transports.flatMap((kind) => Object.keys(kind.settingsKeys))

export const streamSchema = perKinds((kinds) =>
  object(() => shapeOf(kinds)).describe('How bytes travel below the protocol.'),
)
export type StreamInput = z.output<ReturnType<typeof streamSchema>>

/** What a stream stands in: settings of transports in the old top-level `transport`, which fill in for absent ones. */
export type StreamDefaults = Readonly<Record<string, object | undefined>>

/** The parts of a stream that both ends have in common. */
interface Stream {
  readonly network: string
  readonly transport?: unknown
}

export function buildInboundStream(
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  kinds: Kinds,
  context: Context,
): InboundStreamConfig | undefined {
  const { secure, proxied, ...built } = buildStream(input, defaults, kinds, context)
  const sockopt = {
    ...buildInboundSockopt(input?.sockopt, context),
    ...(proxied && { acceptProxyProtocol: true as const }),
  }
  const fallback = input && readFallback(input.fallback, context.report.at(input, 'fallback'), context)
  const trust = buildTrust(input?.sockopt, context)
  const stream = { ...built.stream, sockopt, trust, ...(fallback && { fallback }) }
  if (stream.network !== '' && !transportOf(kinds, stream.network)?.readsRequests) {
    withoutRequests(input, `the transport is ${stream.network}, which reads no requests of others`, context)
  }
  if (!input || !secure) return stream
  const tls = tlsOf(input, context.report.at(input), kinds, context)
  if (tls) checkAlpn(tls, transportOf(kinds, stream.network), context)
  return tls && { ...stream, tls: kinds.tls.buildServer(tls, context) }
}

export function buildOutboundStream(
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  kinds: Kinds,
  context: Context,
): OutboundStreamConfig | undefined {
  withoutRequests(input, 'it belongs to a server', context)
  const { secure, proxied, ...built } = buildStream(input, defaults, kinds, context)
  if (proxied) {
    const place = context.report.at(proxied, 'acceptProxyProtocol')
    context.report.warn('CFG030', place, '"acceptProxyProtocol" has no effect: only inbounds use it')
  }
  const stream = { ...built.stream, sockopt: buildOutboundSockopt(input?.sockopt, context) }
  if (!input || !secure) return stream
  const tls = tlsOf(input, context.report.at(input), kinds, context)
  if (tls) checkAlpn(tls, transportOf(kinds, stream.network), context)
  return tls && { ...stream, tls: kinds.tls.buildClient(tls, context) }
}

/** Says which settings would only count where strangers ask for something. */
function withoutRequests(input: StreamInput | undefined, why: string, context: Context): void {
  if (!input) return
  trustWithoutEffect(input.sockopt, why, context)
  if (input.fallback !== undefined) {
    context.report.warn('CFG030', context.report.at(input, 'fallback'), `"fallback" has no effect: ${why}`)
  }
}

/** Decodes `tlsSettings` apart, for a plain stream has no use for it. */
function tlsOf(input: StreamInput, owner: Place, { tls }: Kinds, context: Context): object | undefined {
  const node = input.tlsSettings as JsonNode | undefined
  const place = context.report.at(input, 'tlsSettings')
  if (node) return decode(tls.schema, node, place.path, context.report) as object | undefined
  const empty = {}
  context.report.remember(empty, { ...owner, path: `${owner.path}.tlsSettings` }, new Map())
  return empty
}

/** Everything but TLS and options of sockets. `secure`: TLS is asked for; `proxied`: settings of the transport that ask for PROXY headers. */
function buildStream(
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  kinds: Kinds,
  context: Context,
): { readonly stream: Stream; readonly secure: boolean; readonly proxied: object | undefined } {
  const kind = input ? readNetwork(input, kinds, context) : plainTransport(kinds)
  const settings: { readonly acceptProxyProtocol?: unknown } | undefined =
    kind && (settingsOf(kind, input, defaults, context) ?? requiredOf(kind, input, context))
  const finalmask = kind && masksFor(kind, input, context)
  const transport = kind?.build(settings, context, finalmask)
  const stream = { network: kind?.name ?? '', ...(transport !== undefined && { transport }) }
  const secure = input !== undefined && checkSecurity(input, context)
  if (input) checkIdle(input, kind, kinds, secure, context)
  return { stream, secure, proxied: settings?.acceptProxyProtocol === true ? settings : undefined }
}

/** Layers that a transport cannot carry are an error: the other end waits for them. */
function masksFor(
  { takesMasks, name }: TransportKind,
  input: StreamInput | undefined,
  { report }: Context,
): FinalmaskInput | undefined {
  const finalmask = input?.finalmask
  if (!input || !finalmask) return undefined
  const { tcp = [], udp = [] } = finalmask
  const refused = [...(tcp.length > 0 ? ['tcp'] : []), ...(udp.length > 0 && !takesMasks ? ['udp'] : [])]
  for (const key of refused) {
    const place = report.at(finalmask, key)
    const message = `layers of "${key}" are not supported with the transport ${name}, and the other end waits for them`
    report.error('CFG031', place, message)
  }
  return takesMasks ? finalmask : undefined
}

/** The settings of a transport: of several names the last that is written. */
function settingsOf(
  { settingsKeys }: TransportKind,
  input: StreamInput | undefined,
  defaults: StreamDefaults,
  { report }: Context,
): object | undefined {
  const keys = Object.keys(settingsKeys)
  const written = input ? keys.filter((key) => membersOf(input)[key] !== undefined) : []
  const used = written.at(-1)
  if (!input || used === undefined) return keys.map((key) => defaults[key]).find((settings) => settings !== undefined)
  for (const key of written.slice(0, -1)) {
    report.warn('CFG035', report.at(input, key), `"${key}" is ignored because "${used}" is there`)
  }
  return membersOf(input)[used]
}

/** A socket has no default: what is missing is said where it belongs. */
function requiredOf(kind: TransportKind, input: StreamInput | undefined, { report }: Context): object | undefined {
  if (!kind.socket || !input) return undefined
  const empty = {}
  report.remember(empty, report.at(input, settingsKey(kind)), new Map())
  return empty
}

const membersOf = (input: object): StreamDefaults => input as StreamDefaults

/** Says which settings are for something that was not chosen. */
function checkIdle(
  input: StreamInput,
  kind: TransportKind | undefined,
  kinds: Kinds,
  secure: boolean,
  { report }: Context,
): void {
  for (const key of new Set([...settingsKeys(kinds), ...Object.keys(otherSettings)])) {
    if (!kind || key in kind.settingsKeys || saysNothing(membersOf(input)[key])) continue
    report.warn('CFG104', report.at(input, key), `"${key}" has no effect: the transport is ${kind.name}`)
  }
  if (!secure && !isEmptyNode(input.tlsSettings as JsonNode | undefined)) {
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
}

/** Absent, or an object without members. */
const saysNothing = (value: object | undefined): boolean => value === undefined || Object.keys(value).length === 0
const isEmptyNode = (node: JsonNode | undefined): boolean =>
  node === undefined || (node.type === 'object' && node.entries.length === 0)

/** `outbounds[]`. */
import type { z } from 'zod'
import { type Kinds, perKinds } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { decode } from '../../schema/decode.ts'
import { address, flag, integer, noted, object, openWord, refused, subtree, text, word } from '../../schema/fields.ts'
import type { OutboundConfig } from '../../settings/model.ts'
import { decodeSettings, type Located } from './inbound.ts'
import { findKind, protocolNames } from './protocol.ts'
import { buildOutboundStream, type StreamDefaults, streamSchema } from './stream.ts'

const later = 'is not available in this version, and without it connections would leave by another way'

const muxSchema = object({
  enabled: flag('Carry many connections in one. Default: false.'),
  concurrency: integer(-32768, 1024, 'How many at once. 0: 8; negative: none. Default: 8.'),
  xudpConcurrency: integer(-32768, 1024, 'The same for UDP.'),
  xudpProxyUDP443: word(['reject', 'allow', 'skip'], 'What becomes of UDP to port 443.'),
}).describe('Multiplexing. Checked, not applied yet.')

const strategyNote = { code: 'CFG033', unless: ['', 'AsIs', 'asis', 'asIs'] } as const

export const outboundSchema = perKinds((kinds) =>
  object({
    protocol: openWord(protocolNames(kinds.outbounds), 'How targets are reached. Required.'),
    tag: text('Name of this outbound, for rules and logs.'),
    sendThrough: refused(
      noted(address('Local address to connect from.'), { expected: 'an IP address in double quotes' }),
      later,
      { code: 'CFG033', unless: ['', '0.0.0.0', '::'] },
    ),
    settings: subtree('Depends on the protocol.'),
    streamSettings: streamSchema(kinds),
    proxySettings: object({
      tag: text('Tag of the outbound to connect through.'),
      transportLayer: flag('Keep the own streamSettings.'),
    }).describe('Chain of outbounds. Not available yet.'),
    mux: muxSchema,
    packetEncoding: word(['none', 'packet', 'xudp'], 'How UDP is wrapped. Checked, not applied yet.'),
    domainStrategy: refused(text('Resolve targets first.'), later, strategyNote),
    targetStrategy: refused(text('Resolve targets first.'), later, strategyNote),
  }),
)

/** What an outbound was decoded to, for rules between several. */
export interface ReadOutbound {
  readonly owner: object
  readonly tag: string
  readonly protocol: string
  /** Tag of the outbound that this one goes through. */
  readonly through?: string
  /** Missing after an error. */
  readonly config?: OutboundConfig
}

export function readOutbound(
  { node, path }: Located,
  defaults: StreamDefaults,
  kinds: Kinds,
  context: Context,
): ReadOutbound | undefined {
  const { report } = context
  const input = decode(outboundSchema(kinds), node, path, report)
  if (!input) return undefined
  const tag = input.tag ?? ''
  const kind = findKind(kinds.outbounds, input, 'outbound', context)
  const stream = buildOutboundStream(input.streamSettings, defaults, kinds, context)
  if (input.mux?.enabled) checkMux(input.mux, context)
  if (input.packetEncoding && input.packetEncoding !== 'none') {
    const place = report.at(input, 'packetEncoding')
    report.notApplied('udp', place, 'is not applied in this version: only TCP is carried')
  }
  const through = input.proxySettings && checkChain(input.proxySettings, context)
  const read = { owner: input, tag, protocol: kind?.kind ?? '', ...(through && { through }) }
  if (!kind) return read
  const decoded = decodeSettings(kind.schema, input, context)
  const settings = decoded && kind.build(decoded, context, stream ?? plain)
  if (settings === undefined || !stream) return read
  return { ...read, config: { tag, at: path, stream, protocol: kind.kind, settings } as OutboundConfig }
}

const plain = { network: 'tcp', sockopt: { tcpKeepAliveIdleS: -1 } } as const

function checkMux(input: z.output<typeof muxSchema>, { report }: Context): void {
  if ((input.concurrency ?? 0) >= 0) {
    const message = 'is checked but not applied in this version: every connection has its own carrier'
    report.notApplied('mux', report.at(input, 'enabled'), message)
  } else if ((input.xudpConcurrency ?? 0) > 0) {
    // A negative concurrency leaves mux to UDP alone.
    const message = '"xudpConcurrency" has no effect: only TCP is carried in this version'
    report.warn('CFG030', report.at(input, 'xudpConcurrency'), message)
  }
}

function checkChain(input: { readonly tag?: string | undefined } & object, { report }: Context): string | undefined {
  const place = report.at(input, 'tag')
  if (!input.tag) {
    if (!report.wrote(input, 'tag') || input.tag === '') {
      report.error('CFG024', place, '"proxySettings" has no "tag"; expected the tag of another outbound')
    }
    return undefined
  }
  const message =
    'chains of outbounds are not available in this version, and without it connections would leave by another way'
  report.error('CFG033', place, `"proxySettings": ${message}`)
  return input.tag
}

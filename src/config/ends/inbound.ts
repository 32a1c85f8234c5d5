/** `inbounds[]`. */
import type { z } from 'zod'
import { isLoopback } from '../../core/address.ts'
import { type Kinds, perKinds, socketOf } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { decode } from '../../schema/decode.ts'
import { noted, object, openWord, ports, stringList, subtree, text } from '../../schema/fields.ts'
import type { Place } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import type { InboundConfig, ListenConfig } from '../../settings/model.ts'
import { allocateSchema, readAllocate, readSniffing, sniffingSchema } from './inbound-parts.ts'
import { readListen } from './listen.ts'
import { findKind, protocolNames } from './protocol.ts'
import { buildInboundStream, type StreamDefaults, streamSchema } from './stream.ts'

export const inboundSchema = perKinds((kinds) =>
  object(() => ({
    protocol: openWord(protocolNames(kinds.inbounds), 'What clients speak. Required.'),
    listen: noted(text('IP address, localhost, or path of a unix socket. Default: all addresses.'), {
      expected: 'an IP address in double quotes',
    }),
    port: ports('Port, range or list of ports; each is listened on.'),
    settings: subtree('Depends on the protocol.'),
    streamSettings: streamSchema(kinds),
    tag: text('Name of this inbound, for rules and logs.'),
    sniffing: sniffingSchema,
    allocate: allocateSchema,
    domainOverride: stringList('Old form of sniffing.'),
  })),
)

/** A value with the path under which messages name it. */
export interface Located {
  readonly node: JsonNode
  readonly path: string
}

/** What an inbound was decoded to, for rules between several. */
export interface ReadInbound {
  /** The decoded object, to point at. */
  readonly owner: object
  readonly tag: string
  readonly protocol: string
  /** The decoded settings, to point at. */
  readonly settings?: object
  /** Missing after an error. */
  readonly config?: InboundConfig
}

export function readInbound(
  { node, path }: Located,
  defaults: StreamDefaults,
  defaultPort: { value: number | string; place: Place } | undefined,
  kinds: Kinds,
  context: Context,
): ReadInbound | undefined {
  const { report } = context
  const input = decode(inboundSchema(kinds), node, path, report)
  if (!input) return undefined
  const tag = input.tag ?? ''
  const kind = findKind(kinds.inbounds, input, 'inbound', context)
  const stream = buildInboundStream(input.streamSettings, defaults, kinds, context)
  const socket = stream && socketOf(stream, kinds)
  const listen = socket === undefined ? readListen(input, defaultPort, context) : listenAt(socket, input, context)
  const sniffing = readSniffing(input.sniffing, input.domainOverride, report.at(input, 'domainOverride'), context)
  const allocate = readAllocate(input, listen, context)
  const read = { owner: input, tag, protocol: kind?.kind ?? '' }
  if (!kind) return read
  const decoded = decodeSettings(kind.schema, input, context)
  const settings = decoded && kind.build(decoded, context)
  if (!decoded || settings === undefined || !listen || !stream) return read
  const dynamic = allocate && { allocate }
  const sniffed = sniffing && { sniffing }
  const config = {
    tag,
    at: path,
    listen,
    ...dynamic,
    ...sniffed,
    stream,
    protocol: kind.kind,
    settings,
  } as InboundConfig
  if (kind.open?.(settings) && listen.some(({ address }) => !isLoopback(address))) {
    const message = 'this proxy asks for no password, and other machines can reach it: anybody there can use it'
    report.warn(
      'CFG084',
      report.at(input, report.wrote(input, 'listen') ? 'listen' : 'protocol'),
      message,
      openHint(kind.kind),
    )
  }
  return { ...read, settings: decoded, config }
}

/** V2Ray wants a port and has no use for it. */
function listenAt(path: string, input: object, { report }: Context): readonly ListenConfig[] {
  for (const key of ['listen', 'port']) {
    if (!report.wrote(input, key)) continue
    report.info('CFG030', report.at(input, key), `"${key}" has no effect: the transport is a unix socket of its own`)
  }
  return [{ address: { host: '', port: 0, path } }]
}

const openHint = (kind: string): string =>
  kind === 'dokodemo-door' ? 'write "listen": "127.0.0.1"' : 'write "listen": "127.0.0.1", or add accounts'

/** `settings` by the schema of the protocol; absent ones are an empty object at the same place. */
export function decodeSettings(
  schema: z.ZodType,
  input: { readonly settings?: unknown } & object,
  { report }: Context,
): object | undefined {
  const place = report.at(input, 'settings')
  if (input.settings !== undefined) {
    return decode(schema, input.settings as JsonNode, place.path, report) as object | undefined
  }
  const empty = {}
  report.remember(empty, place, new Map())
  return empty
}

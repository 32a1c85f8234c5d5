/** `outbounds[]`. */
import type { z } from 'zod'
import { type Kinds, perKinds } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { decode } from '../../schema/decode.ts'
import { object, openWord, subtree, text, word } from '../../schema/fields.ts'
import { readStrategy, strategyField } from '../../schema/parts/strategy.ts'
import type { OutboundConfig } from '../../settings/model.ts'
import { type Chain, chainFields, checkChained, readChain, readSendThrough } from './chain.ts'
import { decodeSettings, type Located } from './inbound.ts'
import { muxSchema, readMux } from './mux.ts'
import { findKind, protocolNames } from './protocol.ts'
import { buildOutboundStream, type StreamDefaults, streamSchema } from './stream.ts'

export const outboundSchema = perKinds((kinds) =>
  object(() => ({
    protocol: openWord(protocolNames(kinds.outbounds), 'How targets are reached. Required.'),
    tag: text('Name of this outbound, for rules and logs.'),
    settings: subtree('Depends on the protocol.'),
    streamSettings: streamSchema(kinds),
    ...chainFields(),
    mux: muxSchema,
    packetEncoding: word(
      ['none', 'packet', 'xudp'],
      'How UDP travels to a VMess server: `none`, a connection for each target; `xudp` and `packet` (packetaddr of V2Ray 5), ' +
        'one for all, if the server knows it. Default: what the server knows is found out.',
    ),
    targetStrategy: strategyField(
      'How names of targets are resolved before the protocol sees them, so that a server is asked for addresses. Default: AsIs.',
    ),
    domainStrategy: strategyField('V2Ray 5’s name of targetStrategy, which wins.'),
  })),
)

/** What an outbound was decoded to, for rules between several. */
export interface ReadOutbound {
  readonly owner: object
  readonly tag: string
  readonly protocol: string
  /** The outbound that this one goes through. */
  readonly chain?: Chain
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
  const chain = readChain(input, context)
  if (chain) checkChained(chain, input, stream, kinds, context)
  const from = chain ? undefined : readSendThrough(input, context)
  const read = { owner: input, tag, protocol: kind?.kind ?? '', ...(chain && { chain }) }
  if (!kind) return read
  const decoded = decodeSettings(kind.schema, input, context)
  const settings = decoded && kind.build(decoded, context, stream ?? plain)
  if (settings === undefined || !stream) return read
  const way = { ...(chain && { through: chain.through }), ...(from && { sendThrough: from }) }
  const sharing = readSharing(input, kind.kind, context)
  const targetStrategy = readTargetStrategy(input, context)
  const resolving = targetStrategy && targetStrategy !== 'AsIs' && { targetStrategy }
  const config = {
    tag,
    at: path,
    stream,
    ...way,
    ...resolving,
    ...sharing,
    protocol: kind.kind,
    settings,
  } as OutboundConfig
  return { ...read, config }
}

const plain = { network: 'tcp', sockopt: { tcpKeepAliveIdleS: -1 } } as const

function readTargetStrategy(input: z.output<ReturnType<typeof outboundSchema>>, context: Context) {
  const { report } = context
  const older = readStrategy(input.domainStrategy, report.at(input, 'domainStrategy'), context, 'lenient')
  const newer = readStrategy(input.targetStrategy, report.at(input, 'targetStrategy'), context)
  if (older && newer && older !== newer) {
    const message = '"domainStrategy" is ignored because "targetStrategy" is there'
    report.warn('CFG035', report.at(input, 'domainStrategy'), message)
  }
  return newer ?? older
}

/** What only VMess has a use for. */
function readSharing(input: z.output<ReturnType<typeof outboundSchema>>, protocol: string, context: Context) {
  const { report } = context
  const mux = input.mux && readMux(input.mux, context)
  const { packetEncoding } = input
  if (protocol === 'vmess') return { ...(mux && { mux }), ...(packetEncoding && { packetEncoding }) }
  const none = `has no effect: "${protocol}" has no server to share connections to`
  if (mux) report.warn('CFG030', report.at(input.mux!, 'enabled'), `"mux" ${none}`)
  if (packetEncoding && packetEncoding !== 'none') {
    report.warn('CFG030', report.at(input, 'packetEncoding'), `"packetEncoding" ${none}`)
  }
  return {}
}

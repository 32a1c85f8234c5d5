/** `inbounds[]` and `outbounds[]`. */
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { type Origin, object, text } from './nodes.ts'
import { translateProtocol } from './protocols.ts'
import { translateStream } from './stream.ts'

const outer = { anyCase: true } as const
const v4Only = (key: string): string | undefined =>
  ['allocate', 'domainOverride', 'targetStrategy'].includes(key) ? 'this needs the format of V2Ray 4' : undefined

export function translateInbound(at: Origin, report: Report): JsonNode {
  const known = ['protocol', 'port', 'listen', 'settings', 'tag', 'sniffing', 'streamSettings']
  const fields = new Fields(at, known, report, { ...outer, hint: v4Only })
  const made = translateProtocol('inbound', fields, report)
  return object(at, {
    protocol: made && text(fields.origin('protocol'), made.protocol),
    port: fields.node('port'),
    listen: fields.node('listen'),
    tag: fields.node('tag'),
    settings: made?.settings,
    sniffing: fields.has('sniffing') ? sniffing(fields.origin('sniffing'), report) : undefined,
    streamSettings: fields.has('streamSettings') ? translateStream(fields.origin('streamSettings'), report) : undefined,
  })
}

function sniffing(at: Origin, report: Report): JsonNode {
  const keys = ['enabled', 'destOverride', 'metadataOnly']
  const fields = new Fields(at, keys, report, outer)
  return object(at, Object.fromEntries(keys.map((key) => [key, fields.node(key)])))
}

const strategies: Readonly<Record<string, string>> = {
  AsIs: 'AsIs',
  '': 'AsIs',
  UseIP: 'UseIP',
  UseIP4: 'UseIPv4',
  UseIP6: 'UseIPv6',
}

export function translateOutbound(at: Origin, report: Report): JsonNode {
  const known = [
    'protocol',
    'sendThrough',
    'tag',
    'settings',
    'streamSettings',
    'proxySettings',
    'mux',
    'domainStrategy',
  ]
  const fields = new Fields(at, known, report, { ...outer, hint: v4Only })
  const made = translateProtocol('outbound', fields, report)
  const strategy = strategyOf(fields, report)
  const stream = fields.has('streamSettings') ? translateStream(fields.origin('streamSettings'), report) : undefined
  const mux = fields.fields('mux', ['enabled', 'concurrency'])
  const proxy = fields.fields('proxySettings', ['tag', 'transportLayer'])
  const direct = made?.protocol === 'freedom'
  return object(at, {
    protocol: made && text(fields.origin('protocol'), made.protocol),
    sendThrough: fields.node('sendThrough'),
    tag: fields.node('tag'),
    settings: direct && strategy ? withMember(made.settings, 'domainStrategy', strategy) : made?.settings,
    streamSettings: !direct && strategy ? withStrategy(stream, fields.at, strategy) : stream,
    targetStrategy: direct ? undefined : strategy,
    proxySettings: fields.has('proxySettings')
      ? object(proxy.at, { tag: proxy.node('tag'), transportLayer: proxy.node('transportLayer') })
      : undefined,
    mux: fields.has('mux')
      ? object(mux.at, { enabled: mux.node('enabled'), concurrency: mux.node('concurrency') })
      : undefined,
  })
}

/** Its own spelling, in exact case. */
function strategyOf(fields: Fields, report: Report): JsonNode | undefined {
  const written = fields.text('domainStrategy')
  if (written === undefined) return undefined
  const at = fields.origin('domainStrategy')
  if (Object.hasOwn(strategies, written))
    return strategies[written] === 'AsIs' ? undefined : text(at, strategies[written]!)
  const shown = JSON.stringify(shorten(written))
  report.error('CFG025', placeOf(at), `found ${shown}, expected "AsIs", "UseIP", "UseIP4" or "UseIP6"`)
  return undefined
}

function withMember(node: JsonNode, key: string, value: JsonNode): JsonNode {
  if (node.type !== 'object') return node
  return { ...node, entries: [...node.entries, { key, keyOffset: value.offset, value }] }
}

/** For what is not freedom it says how the server's own name is looked up, beside those of targets. */
function withStrategy(stream: JsonNode | undefined, at: Origin, strategy: JsonNode): JsonNode {
  const base = stream?.type === 'object' ? stream : object({ node: strategy, path: at.path }, {})
  const old = base.entries.find(({ key }) => key === 'sockopt')?.value
  const sockopt = withMember(old ?? object({ node: strategy, path: at.path }, {}), 'domainStrategy', strategy)
  const others = { ...base, entries: base.entries.filter(({ key }) => key !== 'sockopt') }
  return withMember(others, 'sockopt', sockopt)
}

/** Which format a file is in: V2Ray needs a flag for it; what stands in it tells as well. */
import { join, type Place, type Report } from '../../schema/report.ts'
import { entryOf, type JsonNode, type ObjectNode } from '../../schema/tree.ts'

/** `auto`: by its keys. */
export type Format = 'auto' | 'v4' | 'jsonv5'

interface Sign {
  readonly place: Place
  readonly what: string
}

/** Names of services, by which the format is told as well. */
export const serviceNames = [
  'policy',
  'stats',
  'commander',
  'backgroundObservatory',
  'burstObservatory',
  'multiobservatory',
  'reverse',
  'fakeDns',
  'fakeDnsMulti',
  'browser',
  'tun',
  'instman',
  'subscription',
  'filesystemstorage',
  'webcommander',
]

/** Keys that only one of the formats has, by where they stand. */
const signs = {
  jsonv5: {
    root: ['router', 'extension'],
    dns: ['nameServer', 'name_server', 'staticHosts', 'static_hosts'],
    stream: ['transport', 'transportSettings', 'securitySettings', 'socketSettings'],
    settings: ['udpEnabled'],
  },
  v4: {
    root: [
      'routing',
      'policy',
      'stats',
      'api',
      'transport',
      'reverse',
      'fakedns',
      'observatory',
      'burstObservatory',
      'inbound',
      'outbound',
      'inboundDetour',
      'outboundDetour',
    ],
    dns: ['servers', 'hosts'],
    stream: [
      'network',
      'method',
      'tcpSettings',
      'wsSettings',
      'grpcSettings',
      'kcpSettings',
      'httpSettings',
      'tlsSettings',
      'sockopt',
    ],
    settings: ['vnext', 'servers', 'clients', 'auth', 'udp', 'accounts'],
  },
} as const

/** Whether the file is in V2Ray 5's own format. One that has keys of both is reported: nobody knows what was meant. */
export function isV5(root: ObjectNode, wanted: Format, report: Report): boolean | undefined {
  if (wanted !== 'auto') return wanted === 'jsonv5'
  const v5 = findV5(root)
  if (!v5) return false
  const v4 = find(root, signs.v4) ?? logWord(root)
  if (v4) {
    const message = `${v5.what} belongs to V2Ray 5's own format ("jsonv5"), ${v4.what} to that of V2Ray 4`
    report.error('CFG041', v5.place, message, 'one file must keep to one format')
    return undefined
  }
  report.info('CFG041', v5.place, `read as jsonv5 because of ${v5.what}; V2Ray itself needs "-format jsonv5"`)
  return true
}

function findV5(root: ObjectNode): Sign | undefined {
  return find(root, signs.jsonv5) ?? servicesSign(root) ?? logSign(root) ?? endSign(root)
}

type Signs = Readonly<Record<'root' | 'dns' | 'stream' | 'settings', readonly string[]>>

function find(root: ObjectNode, { root: top, dns, stream, settings }: Signs): Sign | undefined {
  return (
    keyOf(root, '', top) ??
    keyOf(entryOf(root, 'dns')?.value, 'dns', dns) ??
    inEnds(
      root,
      (end, path) =>
        keyOf(entryOf(end, 'streamSettings')?.value, join(path, 'streamSettings'), stream) ??
        keyOf(entryOf(end, 'settings')?.value, join(path, 'settings'), settings),
    )
  )
}

function keyOf(node: JsonNode | undefined, path: string, keys: readonly string[]): Sign | undefined {
  if (node?.type !== 'object') return undefined
  for (const key of keys) {
    const entry = entryOf(node, key)
    if (entry) return { place: placeOf(entry.value, join(path, entry.key)), what: JSON.stringify(entry.key) }
  }
  return undefined
}

const placeOf = (node: JsonNode, path: string): Place => ({ source: node.source, offset: node.offset, path })

function inEnds<T>(root: ObjectNode, look: (end: ObjectNode, path: string) => T | undefined): T | undefined {
  for (const list of ['inbounds', 'outbounds']) {
    const ends = entryOf(root, list)?.value
    if (ends?.type !== 'array') continue
    for (const [i, end] of ends.items.entries()) {
      const found = end.type === 'object' ? look(end, join(list, i)) : undefined
      if (found !== undefined) return found
    }
  }
  return undefined
}

function logSign(root: ObjectNode): Sign | undefined {
  const log = entryOf(root, 'log')?.value
  if (log?.type !== 'object') return undefined
  for (const key of ['access', 'error']) {
    const node = entryOf(log, key)?.value
    if (node?.type === 'object') return { place: placeOf(node, join('log', key)), what: `an object as "${key}"` }
  }
  return undefined
}

function logWord(root: ObjectNode): Sign | undefined {
  return keyOf(entryOf(root, 'log')?.value, 'log', ['loglevel'])
}

function servicesSign(root: ObjectNode): Sign | undefined {
  return keyOf(entryOf(root, 'services')?.value, 'services', serviceNames)
}

/** A protocol by its full name. Ids as plain text, and "uuid", are read in both formats, and mean the same. */
function endSign(root: ObjectNode): Sign | undefined {
  return inEnds(root, (end, path) => {
    const protocol = entryOf(end, 'protocol')?.value
    if (protocol?.type !== 'string' || !protocol.value.startsWith('#')) return undefined
    return { place: placeOf(protocol, join(path, 'protocol')), what: 'a protocol that begins with "#"' }
  })
}

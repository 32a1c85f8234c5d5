/** V2Ray 5 has a format of its own beside V2Ray 4's. Read as the latter, its transports, TLS and rules would be lost. */
import { join, type Report } from '../schema/report.ts'
import { entryOf, type JsonNode, type ObjectNode } from '../schema/tree.ts'

/** Keys that only the other format has, by where they stand. */
const signs = {
  root: ['router', 'extension'],
  dns: ['nameServer', 'name_server', 'staticHosts', 'static_hosts'],
  streamSettings: ['transport', 'transportSettings', 'securitySettings', 'socketSettings'],
} as const

/** Whether the file is in that format, which is then reported, once. */
export function isForeignFormat(root: ObjectNode, report: Report): boolean {
  const found = findSign(root)
  if (!found) return false
  const place = { source: found.node.source, offset: found.node.offset, path: found.path }
  const message = `${found.what} belongs to V2Ray 5's own format ("jsonv5"), which is not read in this version`
  report.error('CFG041', place, message, 'write the file in the format of V2Ray 4, which V2Ray 5 and Xray read too')
  return true
}

interface Sign {
  readonly node: JsonNode
  readonly path: string
  readonly what: string
}

function findSign(root: ObjectNode): Sign | undefined {
  return (
    keyOf(root, '', signs.root) ??
    logSign(entryOf(root, 'log')?.value) ??
    keyOf(entryOf(root, 'dns')?.value, 'dns', signs.dns) ??
    endSign(root, 'inbounds') ??
    endSign(root, 'outbounds')
  )
}

function keyOf(node: JsonNode | undefined, path: string, keys: readonly string[]): Sign | undefined {
  if (node?.type !== 'object') return undefined
  for (const key of keys) {
    const entry = entryOf(node, key)
    if (entry) return { node: entry.value, path: join(path, entry.key), what: JSON.stringify(entry.key) }
  }
  return undefined
}

function logSign(log: JsonNode | undefined): Sign | undefined {
  if (log?.type !== 'object') return undefined
  for (const key of ['access', 'error']) {
    const node = entryOf(log, key)?.value
    if (node?.type === 'object') return { node, path: join('log', key), what: `an object as "${key}"` }
  }
  return undefined
}

function endSign(root: ObjectNode, list: 'inbounds' | 'outbounds'): Sign | undefined {
  const ends = entryOf(root, list)?.value
  if (ends?.type !== 'array') return undefined
  for (const [i, end] of ends.items.entries()) {
    if (end.type !== 'object') continue
    const path = join(list, i)
    const protocol = entryOf(end, 'protocol')?.value
    if (protocol?.type === 'string' && protocol.value.startsWith('#')) {
      return { node: protocol, path: join(path, 'protocol'), what: 'a protocol that begins with "#"' }
    }
    const found = keyOf(entryOf(end, 'streamSettings')?.value, join(path, 'streamSettings'), signs.streamSettings)
    if (found) return found
  }
  return undefined
}

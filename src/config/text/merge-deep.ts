/** The merge of V2Ray 5: key by key, arrays joined, list entries with the same tag made one. */
import { join, type Report } from '../../schema/report.ts'
import { type Entry, entryOf, type JsonNode, type ObjectNode, textOf } from '../../schema/tree.ts'

export function deepMerge(roots: readonly ObjectNode[], report: Report, decisions: string[]): ObjectNode {
  let merged: ObjectNode = { ...roots[0]!, entries: [] }
  for (const root of roots) merged = mergeObjects(merged, root, '', report)
  for (const root of roots.slice(1)) decisions.push(`[${root.source.name}] merged key by key`)
  return settle(merged, '', report, decisions) as ObjectNode
}

function mergeObjects(base: ObjectNode, next: ObjectNode, path: string, report: Report): ObjectNode {
  const entries = new Map<string, Entry>(base.entries.map((entry) => [entry.key.toLowerCase(), entry]))
  for (const entry of next.entries) {
    const key = entry.key.toLowerCase()
    const before = entries.get(key)
    if (entry.value.type === 'null' && before) continue
    entries.set(
      key,
      before ? { ...entry, value: mergeValues(before.value, entry.value, join(path, entry.key), report) } : entry,
    )
  }
  return { ...base, entries: [...entries.values()] }
}

function mergeValues(base: JsonNode, next: JsonNode, path: string, report: Report): JsonNode {
  if (base.type === 'null') return next
  if (base.type === 'object' && next.type === 'object') return mergeObjects(base, next, path, report)
  if (base.type === 'array' && next.type === 'array') return { ...base, items: [...base.items, ...next.items] }
  if (base.type !== next.type) {
    const place = { source: next.source, offset: next.offset, path }
    const other = base.source === next.source ? 'before' : `in ${base.source.name}`
    report.error('CFG008', place, `found ${next.type} here and ${base.type} ${other}; they cannot be merged`)
  }
  return next
}

const helpers = new Set(['_tag', '_priority'])

/** Orders lists by `_priority`, merges entries of one tag into the first, and removes the helper keys. */
function settle(node: JsonNode, path: string, report: Report, decisions: string[]): JsonNode {
  if (node.type === 'object') {
    const entries = node.entries.filter(({ key }) => !helpers.has(key))
    return {
      ...node,
      entries: entries.map((entry) => ({
        ...entry,
        value: settle(entry.value, join(path, entry.key), report, decisions),
      })),
    }
  }
  if (node.type !== 'array') return node
  const sorted = [...node.items].sort((a, b) => priorityOf(a) - priorityOf(b))
  const items: JsonNode[] = []
  for (const item of sorted) {
    const tag = tagOf(item, path)
    const index = tag === '' ? -1 : items.findIndex((other) => tagOf(other, path) === tag)
    const first = items[index]
    if (first?.type === 'object' && item.type === 'object') {
      items[index] = mergeObjects(first, item, join(path, index), report)
      decisions.push(`[${item.source.name}] merged ${path} with tag: ${tag}`)
    } else items.push(item)
  }
  return { ...node, items: items.map((item, i) => settle(item, join(path, i), report, decisions)) }
}

/** DNS servers have a tag with another meaning. */
function tagOf(item: JsonNode, path: string): string {
  return textOf(item, '_tag') ?? (/(?:^|\.)servers$/i.test(path) ? '' : (textOf(item, 'tag') ?? ''))
}

function priorityOf(item: JsonNode): number {
  const value = item.type === 'object' ? entryOf(item, '_priority')?.value : undefined
  return value?.type === 'number' ? value.value : 0
}

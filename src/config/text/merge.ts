/** Several files as one. */

import type { Report } from '../../schema/report.ts'
import { type Entry, entryOf, type JsonNode, type ObjectNode, textOf } from '../../schema/tree.ts'
import { deepMerge } from './merge-deep.ts'

/**
 * `v2ray`: entries of a later file replace those with the same tag; other inbounds are appended, other outbounds put in
 * front (appended when the file name contains "tail"). `v4`: the same for files with one entry, a longer list replaces
 * the whole list. `v5`: objects are merged key by key and arrays joined. Untagged entries never replace each other.
 */
export type MergeMode = 'v2ray' | 'v4' | 'v5'

/** One tree of all. `decisions` gets a line for everything that was replaced, added or joined. */
export function mergeRoots(
  roots: readonly ObjectNode[],
  mode: MergeMode,
  report: Report,
  decisions: string[],
): ObjectNode {
  if (mode === 'v5') return deepMerge(roots, report, decisions)
  return roots.slice(1).reduce((base, next) => overlay(base, next, mode, decisions), roots[0]!)
}

function overlay(base: ObjectNode, next: ObjectNode, mode: 'v2ray' | 'v4', decisions: string[]): ObjectNode {
  const file = next.source.name
  let entries = [...base.entries]
  for (const entry of next.entries) {
    if (entry.value.type === 'null') continue
    const key = entry.key.toLowerCase()
    const before = entryOf({ ...base, entries }, entry.key)
    entries = entries.filter((other) => other.key.toLowerCase() !== key)
    entries.push(before ? { ...entry, value: combine(key, before, entry, file, mode, decisions) } : entry)
    if (!before) decisions.push(`[${file}] added ${entry.key}`)
  }
  return { ...base, entries }
}

function combine(
  key: string,
  before: Entry,
  entry: Entry,
  file: string,
  mode: 'v2ray' | 'v4',
  decisions: string[],
): JsonNode {
  const [old, fresh] = [before.value, entry.value]
  if ((key === 'inbounds' || key === 'outbounds') && old.type === 'array' && fresh.type === 'array') {
    const whole = mode === 'v4' && fresh.items.length > 1
    if (!whole) return { ...fresh, items: mergeList(old.items, fresh.items, key, file, decisions) }
  }
  if (key === 'env' && old.type === 'object' && fresh.type === 'object') {
    const names = new Set(fresh.entries.map((variable) => variable.key))
    decisions.push(`[${file}] merged env`)
    return { ...fresh, entries: [...old.entries.filter((variable) => !names.has(variable.key)), ...fresh.entries] }
  }
  decisions.push(`[${file}] replaced ${entry.key}`)
  return fresh
}

function mergeList(
  old: readonly JsonNode[],
  fresh: readonly JsonNode[],
  key: 'inbounds' | 'outbounds',
  file: string,
  decisions: string[],
): JsonNode[] {
  const list = [...old]
  const added: JsonNode[] = []
  const what = key.slice(0, -1)
  const inFront = key === 'outbounds' && !file.toLowerCase().includes('tail')
  for (const node of fresh) {
    const tag = textOf(node, 'tag') ?? ''
    const index = tag === '' ? -1 : list.findIndex((other) => textOf(other, 'tag') === tag)
    const name = tag === '' ? `${what} without a tag` : `${what} with tag: ${tag}`
    if (index >= 0) list[index] = node
    else added.push(node)
    decisions.push(`[${file}] ${index >= 0 ? 'updated' : inFront ? 'prepended' : 'appended'} ${name}`)
  }
  return inFront ? [...added, ...list] : [...list, ...added]
}

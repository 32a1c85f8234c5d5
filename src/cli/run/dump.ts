/** What `run -dump` prints: the configuration as it is after merging, before anything is checked. */
import type { MergeMode, SourceText } from '../../config/load.ts'
import { mergeRoots } from '../../config/text/merge.ts'
import { parseSource } from '../../config/text/source.ts'
import { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'

/** JSON text of all sources as one. They must have been loaded without error. */
export function mergedText(sources: readonly SourceText[], mode: MergeMode): string {
  const report = new Report()
  const roots = sources.flatMap((source, order) => {
    const node = parseSource(source, order, report)
    return node?.type === 'object' ? [node] : []
  })
  const merged = roots.length === 0 ? {} : plain(mergeRoots(roots, mode, report, []))
  return JSON.stringify(merged, null, 2)
}

function plain(node: JsonNode): unknown {
  if (node.type === 'object') return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]))
  if (node.type === 'array') return node.items.map(plain)
  return node.type === 'null' ? null : node.value
}

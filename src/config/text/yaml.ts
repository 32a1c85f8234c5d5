/** A configuration in YAML, as a tree with positions. Loaded only for such a file. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'
import { join, type Report, shorten } from '../../schema/report.ts'
import { type Entry, type JsonNode, maxDepth, type Source } from '../../schema/tree.ts'

/** Anchors can be used so often that a small file becomes a huge tree. */
const nodesMax = 200_000

/** Undefined when it is no YAML, which has then been reported. */
export function parseYaml(source: Source, report: Report): JsonNode | undefined {
  const document = parseDocument(source.text, { uniqueKeys: false, version: '1.2' })
  const [error] = document.errors
  if (error) {
    const message = `this is not YAML: ${error.message.split('\n')[0]}`
    report.error('CFG001', { source, offset: error.pos[0], path: '' }, message)
    return undefined
  }
  const converter = new Converter(document, source, report)
  try {
    return converter.convert(document.contents as Node | null, '', 0)
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    report.error('CFG007', { source, offset: 0, path: '' }, error.message)
    return undefined
  }
}

class TooLarge extends Error {}

class Converter {
  readonly #document: Document
  readonly #source: Source
  readonly #report: Report
  #count = 0

  constructor(document: Document, source: Source, report: Report) {
    this.#document = document
    this.#source = source
    this.#report = report
  }

  convert(node: Node | null | undefined, path: string, depth: number): JsonNode {
    if (++this.#count > nodesMax) throw new TooLarge(`more than ${nodesMax} values`)
    if (depth > maxDepth) throw new TooLarge(`values are nested more than ${maxDepth} deep`)
    if (isAlias(node)) return this.convert(node.resolve(this.#document) as Node | undefined, path, depth + 1)
    const [from, to] = node?.range ?? [0, 0]
    const at = { source: this.#source, offset: from, length: to - from }
    if (isSeq(node)) {
      return {
        ...at,
        type: 'array',
        items: node.items.map((item, i) => this.convert(item as Node, join(path, i), depth + 1)),
      }
    }
    if (isMap(node)) return { ...at, type: 'object', entries: this.#entries(node.items as never, path, depth) }
    return scalar(at, isScalar(node) ? node.value : null)
  }

  #entries(items: readonly { key: Node; value: Node | null }[], path: string, depth: number): Entry[] {
    const entries = new Map<string, Entry>()
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : ''
      const keyOffset = key.range?.[0] ?? 0
      if (entries.delete(name)) {
        const place = { source: this.#source, offset: keyOffset, path: join(path, name) }
        this.#report.warn('CFG006', place, `the key ${JSON.stringify(shorten(name))} stands twice; the last one counts`)
      }
      entries.set(name, { key: name, keyOffset, value: this.convert(value, join(path, name), depth + 1) })
    }
    return [...entries.values()]
  }
}

function scalar(at: { source: Source; offset: number; length: number }, value: unknown): JsonNode {
  if (typeof value === 'string') return { ...at, type: 'string', value }
  if (typeof value === 'number') return { ...at, type: 'number', value }
  if (typeof value === 'boolean') return { ...at, type: 'boolean', value }
  if (value === null || value === undefined) return { ...at, type: 'null' }
  return { ...at, type: 'string', value: String(value) }
}

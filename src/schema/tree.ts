/** A configuration as a tree of values that remember where they were written, so that a message can point there. */

/** One text of the configuration. */
export interface Source {
  /** Shown in messages; `''` for a value that was never text. */
  readonly name: string
  /** Position in the list of sources. */
  readonly order: number
  /** Comments are blanked, a byte-order mark is gone: offsets and line numbers are the file's. */
  readonly text: string
}

interface Located {
  readonly source: Source
  readonly offset: number
  readonly length: number
  /** The path under which messages name it, where that is not where it stands in the tree: it was translated. */
  readonly path?: string
}

export interface Entry {
  readonly key: string
  readonly keyOffset: number
  readonly value: JsonNode
}

export type ObjectNode = Located & { readonly type: 'object'; readonly entries: readonly Entry[] }
export type ArrayNode = Located & { readonly type: 'array'; readonly items: readonly JsonNode[] }
export type ScalarNode = Located &
  (
    | { readonly type: 'string'; readonly value: string }
    | { readonly type: 'number'; readonly value: number }
    | { readonly type: 'boolean'; readonly value: boolean }
    | { readonly type: 'null' }
    /** Only in values that were never JSON: a function, a symbol, a cycle. */
    | { readonly type: 'foreign'; readonly value: string }
  )
export type JsonNode = ObjectNode | ArrayNode | ScalarNode

/** Items by number. */
export interface Items {
  readonly length: number
  at(index: number): JsonNode
}

const longLists = new WeakMap<ArrayNode, Items>()

/** A list so long that a node for each item would be a waste: `items` are read when somebody asks for all of them at once. */
export function longArray(located: Located, items: Items): ArrayNode {
  let all: JsonNode[] | undefined
  const node: ArrayNode = {
    ...located,
    type: 'array',
    get items() {
      all ??= Array.from({ length: items.length }, (_, i) => items.at(i))
      return all
    },
  }
  longLists.set(node, items)
  return node
}

/** The items to be looked at one by one: those of a long list are read anew each time, and none is kept. */
export const itemsOf = (node: ArrayNode): Items =>
  longLists.get(node) ?? { length: node.items.length, at: (i) => node.items[i]! }

/** Deeper nesting is refused, so that no recursion can exhaust the stack. */
export const maxDepth = 200

/** The last entry of that name in any letter case, unless its value is null. */
export function entryOf(node: ObjectNode, name: string): Entry | undefined {
  const found = node.entries.findLast((entry) => entry.key.toLowerCase() === name.toLowerCase())
  return found?.value.type === 'null' ? undefined : found
}

/** The string in that field, if there is one. */
export function textOf(node: JsonNode, name: string): string | undefined {
  const value = node.type === 'object' ? entryOf(node, name)?.value : undefined
  return value?.type === 'string' ? value.value : undefined
}

/** A tree from a JavaScript value, without positions. */
export function fromValue(value: unknown, source: Source, above: readonly object[] = []): JsonNode {
  const at = { source, offset: 0, length: 0 }
  if (value === null || value === undefined) return { ...at, type: 'null' }
  if (typeof value === 'string') return { ...at, type: 'string', value }
  if (typeof value === 'number') return { ...at, type: 'number', value }
  if (typeof value === 'boolean') return { ...at, type: 'boolean', value }
  if (typeof value !== 'object') return { ...at, type: 'foreign', value: `a ${typeof value}` }
  if (above.includes(value) || above.length > maxDepth)
    return { ...at, type: 'foreign', value: 'an object inside itself' }
  const here = [...above, value]
  if (Array.isArray(value)) return { ...at, type: 'array', items: value.map((item) => fromValue(item, source, here)) }
  const entries = Object.entries(value).map(([key, item]) => ({
    key,
    keyOffset: 0,
    value: fromValue(item, source, here),
  }))
  return { ...at, type: 'object', entries }
}

export interface Position {
  /** From 1; 0 when the source was no text. */
  readonly line: number
  /** From 1, in UTF-16 units as editors count them; 0 when the source was no text. */
  readonly column: number
}

const lineStarts = new WeakMap<Source, readonly number[]>()

/** Line and column of an offset. */
export function positionOf(source: Source, offset: number): Position {
  if (source.text === '') return { line: 0, column: 0 }
  let starts = lineStarts.get(source)
  if (!starts) {
    starts = [0, ...[...source.text.matchAll(/\n/g)].map((match) => match.index + 1)]
    lineStarts.set(source, starts)
  }
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}

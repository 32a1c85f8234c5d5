/**
 * Making a tree in the form of V2Ray 4 out of one in V2Ray 5's own: every node of the new tree remembers where, and under
 * which path, the old one has it, so that messages speak of the file as it is written.
 */
import type { Entry, JsonNode, ObjectNode } from '../../schema/tree.ts'

/** Where a node stands, for those that are made from it. */
export interface Origin {
  readonly node: JsonNode
  readonly path: string
}

const placed = ({ node, path }: Origin) => ({ source: node.source, offset: node.offset, length: node.length, path })

/** The same value, under its own path. */
export const same = (at: Origin): JsonNode => ({ ...at.node, path: at.path })

export const text = (at: Origin, value: string): JsonNode => ({ ...placed(at), type: 'string', value })
export const number = (at: Origin, value: number): JsonNode => ({ ...placed(at), type: 'number', value })
export const flag = (at: Origin, value: boolean): JsonNode => ({ ...placed(at), type: 'boolean', value })
export const list = (at: Origin, items: readonly JsonNode[]): JsonNode => ({ ...placed(at), type: 'array', items })

/** Members without a value are left out. */
export const object = (at: Origin, members: Readonly<Record<string, JsonNode | undefined>>): ObjectNode => ({
  ...placed(at),
  type: 'object',
  entries: Object.entries(members).flatMap(([key, value]): Entry[] =>
    value ? [{ key, keyOffset: value.offset, value }] : [],
  ),
})

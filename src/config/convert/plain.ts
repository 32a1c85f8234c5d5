/** JSON values, and looking into them. */
import type { JsonNode } from '../../schema/tree.ts'

export type Plain = { readonly [key: string]: unknown }

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object; anything else is one without members. */
export const asPlain = (value: unknown): Plain => (isPlain(value) ? value : {})

/** A list; one value is a list of one, nothing is none. */
export const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

/** Entries of a list of texts, which may be one text with commas. */
export const asTexts = (value: unknown): string[] =>
  (typeof value === 'string' ? value.split(',') : asList(value)).map((item) => String(item).trim())

export const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Without members that say nothing. */
export const without = (members: Plain): Plain =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null))

export const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value as object).length === 0)

export const join = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`

/** The value of a tree. */
export function plainOf(node: JsonNode): unknown {
  if (node.type === 'object') return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]))
  if (node.type === 'array') return node.items.map(plainOf)
  return node.type === 'null' ? null : node.value
}

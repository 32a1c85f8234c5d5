/**
 * A short way to read what is in order. Long lists, of users above all, hold items of which hardly one has anything that must be
 * said of it; for those the walk of `decode.ts`, and the memory of where each value stood, would be most of what a start costs.
 */
import type { z } from 'zod'
import { notes } from './fields.ts'
import type { JsonNode } from './tree.ts'

/** What `decode` would make of a node without a word; undefined for all others. */
export type PlainReader = (node: JsonNode) => unknown

/** The short way of a schema. */
export function plainReader(schema: z.ZodType): PlainReader {
  let reader = readers.get(schema)
  if (!reader) {
    reader = makeReader(schema, objectsMax)
    readers.set(schema, reader)
  }
  return reader
}

const readers = new WeakMap<z.ZodType, PlainReader>()

/** Objects inside each other. */
const objectsMax = 2

const never: PlainReader = () => undefined

/** @param depth how many objects inside each other may still come */
function makeReader(schema: z.ZodType, depth: number): PlainReader {
  const { type } = schema.def
  if (notes.get(schema)?.effect) return never
  switch (type) {
    case 'optional':
      return makeReader((schema as z.ZodOptional<z.ZodType>).def.innerType, depth)
    case 'object':
      return depth > 0 ? objectReader((schema as z.ZodObject).shape, depth - 1) : never
    case 'union':
      return unionReader((schema as z.ZodUnion<readonly z.ZodType[]>).options, depth)
    case 'string':
    case 'boolean':
    case 'number':
      return scalarReader(schema, type)
    case 'custom':
    case 'unknown':
      return (node) => (node.type === 'null' ? undefined : node)
    default:
      return never
  }
}

function objectReader(shape: Readonly<Record<string, z.ZodType>>, depth: number): PlainReader {
  const fields = new Map(Object.entries(shape).map(([key, field]) => [key, makeReader(field, depth)]))
  return (node) => {
    if (node.type !== 'object') return undefined
    const result: Record<string, unknown> = {}
    for (const { key, value } of node.entries) {
      const read = fields.get(key)?.(value)
      if (read === undefined) return undefined
      result[key] = read
    }
    return result
  }
}

/** Only where the type of a value tells which option is meant. */
function unionReader(options: readonly z.ZodType[], depth: number): PlainReader {
  const byType = new Map<string, PlainReader>()
  for (const option of options) {
    const { type } = option.def
    if (!['string', 'number', 'boolean', 'object'].includes(type) || byType.has(type)) return never
    byType.set(type, makeReader(option, depth))
  }
  return (node) => byType.get(node.type)?.(node)
}

/** Most values of a list are alike or need no check: the library is asked about the others. */
function scalarReader(schema: z.ZodType, type: 'string' | 'boolean' | 'number'): PlainReader {
  const free = type !== 'number' && !schema.def.checks?.length
  let last: unknown
  return (node) => {
    if (node.type !== type || (node.type === 'number' && !isWhole(node))) return undefined
    const { value } = node
    if (free || value === last) return value
    if (!schema.safeParse(value).success) return undefined
    last = value
    return value
  }
}

/** Whether it is written as a whole number, neither 1.0 nor 1e3. */
function isWhole({ value, source, offset, length, path }: Extract<JsonNode, { type: 'number' }>): boolean {
  const text = source.text === '' || path !== undefined ? undefined : source.text.slice(offset, offset + length)
  return Number.isSafeInteger(value) && (text === undefined || text === String(value))
}

import type { z } from 'zod'
import { jsonType, numberText } from './expected.ts'
import { notes } from './fields.ts'
import { didYouMean } from './suggest.ts'
import type { JsonNode } from './tree.ts'

/** How to write what was probably meant. */
export function retypeHint(schema: z.ZodType, node: JsonNode, path: string): string | undefined {
  const note = notes.get(schema)
  if (note?.hint && !note.effect) return note.hint
  const types =
    schema.def.type === 'union'
      ? (schema as z.ZodUnion<readonly z.ZodType[]>).options.map(jsonType)
      : [jsonType(schema)]
  if (note?.secret && types.includes('string')) {
    const key = /[\w$-]+$/.exec(path)?.[0]
    return key === undefined ? 'put it in double quotes: "…"' : `write "${key}": "…"`
  }
  if (node.type === 'string') {
    if (types.includes('number') && /^\d{1,10}$/.test(node.value)) return `write ${node.value} without the quotes`
    if (types.includes('boolean') && /^(?:true|false)$/i.test(node.value)) {
      return `write ${node.value.toLowerCase()} without the quotes`
    }
    const meant = types.includes('boolean') ? didYouMean(node.value, []) : undefined
    if (meant) return meant
  }
  if (node.type === 'number') {
    if (types.includes('string')) return `write "${numberText(node)}" in double quotes`
    if (types.includes('number') && Number.isSafeInteger(node.value)) return `write ${node.value}`
  }
  if (types.includes('array') && node.type !== 'null') return 'put it in brackets: [ … ]'
  return undefined
}

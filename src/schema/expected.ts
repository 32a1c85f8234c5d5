/** The words for what was found and what was expected. */
import type { z } from 'zod'
import { redactId } from '../core/env.ts'
import { type FieldNote, notes } from './fields.ts'
import { shorten } from './report.ts'
import type { JsonNode } from './tree.ts'

/** A value as a person would point at it: `"443" (a string)`, `70000`, `an object`. Secrets are shortened. */
export function foundText(node: JsonNode, note?: FieldNote): string {
  const secret = note?.secret
  switch (node.type) {
    case 'string':
    case 'number': {
      const text = node.type === 'string' ? node.value : numberText(node)
      const shown = secret === undefined ? shorten(text) : secret === 'password' ? '' : beginning(text, secret)
      if (shown === '' && text !== '') return `a ${node.type}`
      return `${node.type === 'string' ? JSON.stringify(shown) : shown} (a ${node.type})`
    }
    case 'boolean':
      return secret === 'password' ? 'a boolean' : String(node.value)
    case 'array':
    case 'object':
      return `an ${node.type}`
    case 'foreign':
      return node.value
    default:
      return 'null'
  }
}

/** Empty where eight characters would be all of it. */
function beginning(text: string, secret: 'id' | 'near'): string {
  if (secret === 'near' && /^-?[\d.]{1,10}$/.test(text)) return text
  return text.length > 8 ? redactId(text) : ''
}

/** A number as it was written. */
export function numberText(node: Extract<JsonNode, { type: 'number' }>): string {
  const { source, offset, length, value, path } = node
  // One that was translated may be written in another way.
  return source.text === '' || path !== undefined ? String(value) : shorten(source.text.slice(offset, offset + length))
}

/** A number that is not written as a whole one: what it is, or how it is written where its value would do. */
export function fractionText(node: Extract<JsonNode, { type: 'number' }>): string {
  const text = numberText(node)
  if (!Number.isInteger(node.value)) return `${text} (a fraction)`
  return `${text} (written with ${/e/i.test(text) ? 'an exponent' : 'a point'})`
}

/** What a schema takes, in words. */
export function expectedText(schema: z.core.$ZodType): string {
  const note = notes.get(schema)
  if (note?.expected) return note.expected
  const { def } = schema as z.ZodType
  switch (def.type) {
    case 'optional':
      return expectedText((schema as z.ZodOptional).def.innerType)
    case 'string':
      return 'text in double quotes'
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'an array [ … ]'
    case 'object':
    case 'record':
      return 'an object { … }'
    case 'number':
      return numberExpected(schema as z.ZodNumber)
    case 'enum':
      return oneOf((schema as z.ZodEnum).options.map(String))
    case 'union':
      return (schema as z.ZodUnion).options.map(expectedText).join(' or ')
    default:
      return 'another value'
  }
}

function numberExpected({ minValue, maxValue }: z.ZodNumber): string {
  if (maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER) return `a whole number from ${minValue} to ${maxValue}`
  return minValue === 0 ? 'a whole number, 0 or more' : 'a whole number'
}

/** `"a", "b" or "c"`. */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word))
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** The type that a value of JSON must have. */
export function jsonType(schema: z.ZodType): string {
  const { type } = schema.def
  if (type === 'enum') return 'string'
  if (type === 'literal') return typeof (schema as z.ZodLiteral).value
  return type === 'record' ? 'object' : type
}

/**
 * The walk of a schema over a tree: keys in any letter case, null as absent, unknown keys with a suggestion, each value
 * checked where it stands. A value that does not fit is reported and treated as absent, so that one run finds everything.
 */
import type { z } from 'zod'
import { expectedText, foundText, fractionText, jsonType, numberText, oneOf } from './expected.ts'
import { type FieldNote, notes } from './fields.ts'
import { Heeded } from './heeded.ts'
import { plainReader } from './plain.ts'
import { join, type Place, type Report, shorten } from './report.ts'
import { retypeHint } from './retype.ts'
import { didYouMean, keyHint, limitHint, wouldLimit } from './suggest.ts'
import { type ArrayNode, type Entry, itemsOf, type JsonNode, type ObjectNode } from './tree.ts'

/** The value of `node` by `schema`, or undefined when it does not fit, which has then been reported. */
export function decode<S extends z.ZodType>(
  schema: S,
  node: JsonNode,
  path: string,
  report: Report,
): z.output<S> | undefined {
  return new Decoder(report).value(schema, node, path) as z.output<S> | undefined
}

/** Longer lists are read by the short way. */
const plainFrom = 64

class Decoder {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  value(schema: z.ZodType, node: JsonNode, above: string): unknown {
    const path = node.path ?? above
    switch (schema.def.type) {
      case 'optional':
        return this.value((schema as z.ZodOptional<z.ZodType>).def.innerType, node, path)
      case 'union':
        return this.#union(schema as z.ZodUnion<readonly z.ZodType[]>, node, path)
      case 'object':
        return node.type === 'object'
          ? this.#object(schema as z.ZodObject, node, path)
          : this.#wrong(schema, node, path)
      case 'record':
        return node.type === 'object'
          ? this.#record(schema as z.ZodRecord, node, path)
          : this.#wrong(schema, node, path)
      case 'array':
        return this.#array(schema as z.ZodArray<z.ZodType>, node, path)
      case 'custom':
      case 'unknown':
        return node
      default:
        return this.#scalar(schema, node, path)
    }
  }

  #union(schema: z.ZodUnion<readonly z.ZodType[]>, node: JsonNode, path: string): unknown {
    const option = schema.options.find(
      (candidate) =>
        jsonType(candidate) === node.type &&
        (candidate.def.type !== 'literal' || candidate.safeParse((node as { value?: unknown }).value).success),
    )
    return option ? this.value(option, node, path) : this.#wrong(schema, node, path)
  }

  #object(schema: z.ZodObject, node: ObjectNode, path: string): object {
    const shape = schema.shape as Readonly<Record<string, z.ZodType>>
    const result: Record<string, unknown> = {}
    const children = new Map<string, Place>()
    const told = new Heeded(this.#report)
    for (const [key, entry] of this.#fields(shape, node, path, notes.get(schema)?.own ?? false)) {
      if (entry.value.type === 'null') continue
      const at = join(path, key)
      children.set(key, placeOf(entry.value, at))
      const value = this.value(shape[key]!, entry.value, at)
      if (value === undefined) continue
      result[key] = value
      told.heed(noteOf(shape[key]!), key, value, placeOf(entry.value, at))
    }
    told.end()
    this.#report.remember(result, placeOf(node, path), children)
    return result
  }

  /** The known entries by their documented names. */
  #fields(
    shape: Readonly<Record<string, z.ZodType>>,
    node: ObjectNode,
    path: string,
    own: boolean,
  ): Map<string, Entry> {
    const names = namesOf(shape)
    const fields = new Map<string, Entry>()
    for (const entry of node.entries) {
      const name = names.get(entry.key.toLowerCase())
      const place = { source: entry.value.source, offset: entry.keyOffset, path: join(path, entry.key) }
      if (name === undefined) {
        this.#unknown(entry, place, shape, own)
        continue
      }
      if (entry.key !== name) this.#report.info('CFG021', place, `the documented spelling is "${name}"`)
      const other = fields.get(name)
      if (other) {
        this.#report.warn('CFG006', place, `"${other.key}" and "${entry.key}" are the same key; one of them is ignored`)
      }
      if (other?.key !== name) fields.set(name, entry)
    }
    return fields
  }

  #unknown(entry: Entry, place: Place, shape: Readonly<Record<string, z.ZodType>>, own: boolean): void {
    if (entry.value.type === 'null' || /^(?:\$schema$|\/\/|_comment)/.test(entry.key)) return
    const key = shorten(entry.key, 64)
    const known = Object.keys(shape)
    if (own) {
      const message = `unknown key "${key}", expected ${oneOf(known)}`
      this.#report.error('CFG040', place, message, didYouMean(key, known))
    } else if (wouldLimit(key, known)) {
      const hint = limitHint(key, known) ?? keyHint(key, known)
      this.#report.error('CFG040', place, `"${key}" would limit nothing here`, hint)
    } else this.#report.warn('CFG020', place, `unknown key "${key}"; it is ignored`, keyHint(key, known))
  }

  #record(schema: z.ZodRecord, node: ObjectNode, path: string): object {
    const result: Record<string, unknown> = Object.create(null)
    const children = new Map<string, Place>()
    for (const entry of node.entries) {
      const at = join(path, entry.key)
      const value = entry.value.type === 'null' ? undefined : this.value(schema.valueType as z.ZodType, entry.value, at)
      if (value === undefined) continue
      children.set(entry.key, placeOf(entry.value, at))
      result[entry.key] = value
    }
    this.#report.remember(result, placeOf(node, path), children)
    return result
  }

  #array(schema: z.ZodArray<z.ZodType>, node: JsonNode, path: string): unknown {
    if (node.type !== 'array') return this.#wrong(schema, node, path)
    if (itemsOf(node).length > plainFrom) return this.#longArray(schema.element, node, path)
    const result: unknown[] = []
    const children = new Map<string, Place>()
    for (const [i, item] of node.items.entries()) {
      const at = join(path, i)
      const value = this.value(schema.element, item, at)
      if (value === undefined) continue
      children.set(String(result.length), placeOf(item, at))
      result.push(value)
    }
    this.#report.remember(result, placeOf(node, path), children)
    return result
  }

  /** Items about which there is nothing to say are read by the short way, and where they stand is found out when it matters. */
  #longArray(element: z.ZodType, node: ArrayNode, path: string): unknown[] {
    const items = itemsOf(node)
    const plain = plainReader(element)
    const result: unknown[] = []
    const from: number[] = []
    const again = (i: number): unknown => this.value(element, items.at(i), join(path, i))
    for (let i = 0; i < items.length; i++) {
      const value = plain(items.at(i)) ?? again(i)
      if (value === undefined) continue
      result.push(value)
      from.push(i)
    }
    this.#report.rememberList(result, placeOf(node, path), {
      placeOf: (n) => placeOf(items.at(from[n]!), join(path, from[n]!)),
      again: (n) => again(from[n]!),
    })
    return result
  }

  #scalar(schema: z.ZodType, node: JsonNode, path: string): unknown {
    if (jsonType(schema) !== node.type) return this.#wrong(schema, node, path)
    if (node.type === 'string' && schema.def.type === 'enum')
      return this.#word(schema as z.ZodEnum, node.value, node, path)
    if (node.type === 'number' && !/^-?\d+$/.test(numberText(node))) {
      return this.#wrong(schema, node, path, fractionText(node))
    }
    const parsed = schema.safeParse('value' in node ? node.value : undefined)
    if (parsed.success) return parsed.data
    const note = notes.get(schema)
    const found = node.type === 'number' && !note?.secret ? numberText(node) : foundText(node, note)
    this.#report.error('CFG023', placeOf(node, path), `found ${found}, expected ${expectedText(schema)}`)
    return undefined
  }

  #word(schema: z.ZodEnum, value: string, node: JsonNode, path: string): unknown {
    if (value === '') return undefined
    const words = schema.options.map(String)
    const match = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase())
    if (match !== undefined) return match
    const message = `found ${JSON.stringify(shorten(value))}, expected ${expectedText(schema)}`
    this.#report.error('CFG025', placeOf(node, path), message, didYouMean(value, words))
    return undefined
  }

  #wrong(schema: z.ZodType, node: JsonNode, path: string, found = foundText(node, secrecyOf(schema))): undefined {
    const message = `found ${found}, expected ${expectedText(schema)}`
    const hint = retypeHint(schema, node, path)
    if (notes.get(schema)?.overlooked && node.type === 'string' && /^\d*$/.test(node.value))
      this.#report.warn('CFG022', placeOf(node, path), `${message}: it is left out, as in Xray; V2Ray refuses it`, hint)
    else this.#report.error('CFG022', placeOf(node, path), message, hint)
    return undefined
  }
}

/** A text in place of a whole object or list may be the secret that belongs into it. */
function secrecyOf(schema: z.ZodType): FieldNote | undefined {
  const note = notes.get(schema)
  const type = jsonType(schema)
  return note?.secret || (type !== 'object' && type !== 'array') ? note : { secret: 'near' }
}

const placeOf = (node: JsonNode, path: string): Place => ({
  source: node.source,
  offset: node.offset,
  path: node.path ?? path,
})

function noteOf(schema: z.ZodType): FieldNote | undefined {
  return notes.get(schema.def.type === 'optional' ? (schema as z.ZodOptional).def.innerType : schema)
}

const nameCache = new WeakMap<object, ReadonlyMap<string, string>>()

/** Lower-case names of a shape to the documented ones. */
function namesOf(shape: Readonly<Record<string, z.ZodType>>): ReadonlyMap<string, string> {
  let names = nameCache.get(shape)
  if (!names) {
    names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
    nameCache.set(shape, names)
  }
  return names
}

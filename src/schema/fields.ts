/**
 * The vocabulary in which the schemas are written. Every field is optional in a schema (V2Ray and Xray take an absent
 * field and null alike); what is required is said by the code that builds from it, which knows why.
 */
import { z } from 'zod'
import type { ProblemCode } from './codes.ts'
import type { JsonNode } from './tree.ts'

/** What is known about a field beyond its type. */
export interface FieldNote {
  /** Our answer to its presence: accepted without effect, or refused because ignoring it would be wrong. */
  readonly effect?: 'none' | 'refused'
  /** Without an effect, and told in one warning with the others of the same object. */
  readonly grouped?: boolean
  /** Code of a refusal, if not CFG031. */
  readonly code?: ProblemCode
  readonly reason?: string
  /** What to write instead; without an effect, instead of a value of the wrong type. */
  readonly hint?: string
  /** Values that ask for nothing and are passed over in silence. */
  readonly unless?: readonly unknown[]
  /** What to expect, where the type does not say it. */
  readonly expected?: string
  /** Shown shortened, shortened unless it is a small number (next to an id, which may have slipped there), or not at all. */
  readonly secret?: 'id' | 'near' | 'password'
  /** A number that Xray never looks at, so that files of its users have texts here: such a text is as good as absent. */
  readonly overlooked?: boolean
  /** Ours alone: no other program gives an unknown key in it a meaning, so it is a slip of the pen. */
  readonly own?: boolean
  /** Members that editors ask for; the code that builds from it says the same. */
  readonly required?: readonly string[]
}

/** Notes of fields, kept beside the schemas. */
export const notes = z.registry<FieldNote>()

/** Says what a schema is for that nobody else has yet. `describe()` would make another one: there are hundreds, for every start. */
const described = <S extends z.ZodType>(schema: S, description: string): S => {
  z.globalRegistry.add(schema, { description })
  return schema
}

const nothing = z.never()

/**
 * An object with these fields. All are optional; others are reported as unknown. The fields are made when they are first
 * asked for: a configuration names few of the hundreds that there are.
 */
export const object = <Shape extends z.ZodRawShape>(fields: () => Shape): AllOptional<Shape> => {
  let shape: Optionals<Shape> | undefined
  const made = new z.ZodObject({
    type: 'object',
    get shape() {
      shape ??= optionals(fields())
      return shape
    },
    catchall: nothing,
  })
  return made as z.ZodType as AllOptional<Shape>
}

type Optionals<Shape extends z.ZodRawShape> = { [K in keyof Shape]: z.ZodOptional<Shape[K]> }
type AllOptional<Shape extends z.ZodRawShape> = z.ZodObject<Optionals<Shape>, z.core.$strict>

/** The same for each of them: half of what is made otherwise, and nobody asks for it. */
function optionals<Shape extends z.ZodRawShape>(fields: Shape): Optionals<Shape> {
  const shape = {}
  const own = { configurable: true, enumerable: true }
  for (const [name, field] of Object.entries(fields)) {
    const get = (): z.ZodType => {
      const value = z.optional(field)
      Object.defineProperty(shape, name, { ...own, value })
      return value
    }
    Object.defineProperty(shape, name, { ...own, get })
  }
  return shape as Optionals<Shape>
}

/** A field that is read and then does nothing; its presence is worth a warning. */
export const withoutEffect = <S extends z.ZodType>(
  schema: S,
  reason: string,
  unless: readonly unknown[] = [false],
): S => noted(schema, { effect: 'none', reason, unless })

/** The same, told in one warning with the others of the same object. */
export const idle = <S extends z.ZodType>(schema: S, reason: string, unless: readonly unknown[] = [false]): S =>
  noted(schema, { effect: 'none', grouped: true, reason, unless })

/** A field that ends the start, because ignoring it would change more than a detail. */
export const refused = <S extends z.ZodType>(
  schema: S,
  reason: string,
  options: { code?: ProblemCode; unless?: readonly unknown[]; hint?: string } = {},
): S => noted(schema, { effect: 'refused', unless: [false, ''], ...options, reason })

/** The same schema with more known about it. */
export const noted = <S extends z.ZodType>(schema: S, note: FieldNote): S => {
  const copy = schema.describe(schema.description ?? '')
  notes.add(copy, { ...notes.get(schema), ...note })
  return copy
}

export const text = (description: string) => described(z.string(), description)
export const flag = (description: string) => described(z.boolean(), description)
export const integer = (min: number, max: number, description: string) =>
  described(z.int().min(min).max(max), description)

/** An integer of 32 bits without sign, as levels are. */
export const uint32 = (description: string) => integer(0, 4294967295, description)

/** `acceptProxyProtocol` of sockopt and of transports, one of which is enough: src/config/ends/stream.ts reads them. */
export const acceptProxyProtocol = () =>
  flag(
    'Inbounds: every connection begins with a PROXY protocol header, version 1 or 2, which says who the client is. Default: false.',
  )

/** One of these words, in any letter case; decoded in the case given here. */
export const word = <const W extends readonly [string, ...string[]]>(words: W, description: string) =>
  described(z.enum(words), description)

/** A word of which unknown ones are the reader's business: editors suggest these. */
export const openWord = (words: readonly string[], description: string) =>
  z.string().meta({ description, examples: [...words] })

/** An array of strings, or one string with commas. */
export const stringList = (description: string) =>
  noted(described(z.union([z.array(z.string()), z.string()]), description), {
    expected: 'an array of strings, or one string with commas',
  })

export const address = (description: string) =>
  noted(described(z.string(), description), { expected: 'an IP address or a domain name, in double quotes' })

/** A port as a number. */
export const port = (description: string) =>
  noted(integer(0, 65535, description), { expected: 'a port: a whole number from 0 to 65535' })

/** Ports in every form: 443, "443", "1000-2000", "53, 443", "env:NAME". */
export const ports = (description: string) =>
  noted(described(z.union([z.int().min(0).max(65535), z.string()]), description), {
    expected: 'a port (443), or a range or list of ports in double quotes ("1000-2000", "53,443")',
  })

/** A part that is decoded elsewhere, with a schema that depends on its neighbours. */
export const subtree = (description: string) => described(z.custom<JsonNode>(), description)

/** Names mapped to anything; names keep their letter case. */
export const anyObject = (description: string) => described(z.record(z.string(), z.unknown()), description)

/** Names mapped to values of one kind. */
export const mapOf = <V extends z.ZodType>(value: V, description: string) =>
  described(z.record(z.string(), value), description)

/** `userLevel` of local inbounds and of freedom. */
export const userLevel = () => uint32('Policy level whose timeouts apply.')

/** `timeout` of V2Ray 4 at local inbounds, in seconds. */
export const idleTimeout = () =>
  uint32('Idle seconds of connections at level 0, instead of connIdle of the policy. 0: none.')

/** What `timeout` and the level of a local inbound come to. */
export const idleOf = (timeout: number | undefined, level: number | undefined): { idleMs?: number } =>
  timeout && !level ? { idleMs: timeout * 1000 } : {}

/** `timeout` of V2Ray 4 elsewhere, in seconds. */
export const oldTimeout = () =>
  withoutEffect(uint32('Idle seconds of V2Ray 4.'), 'idle limits come from policy.levels', [0])

/** The JSON Schema for editors, made from the schemas that the loader uses. */
import { z } from 'zod'
import { builtin } from '../src/builtin/kinds.ts'
import { inboundSchema } from '../src/config/ends/inbound.ts'
import { outboundSchema } from '../src/config/ends/outbound.ts'
import { streamSchema } from '../src/config/ends/stream.ts'
import { rootSchema } from '../src/config/root.ts'
import type { Kinds } from '../src/kinds/kinds.ts'
import { notes } from '../src/schema/fields.ts'

type Json = Record<string, unknown>

const ref = (name: string): Json => ({ $ref: `#/definitions/${name}` })

/** Text of the file that is published as `vmess/schema.json`. */
export function editorSchemaText(kinds: Kinds = builtin): string {
  return `${JSON.stringify(editorSchema(kinds), null, 2)}\n`
}

function editorSchema(kinds: Kinds): Json {
  const root = convert(rootSchema(kinds))
  const entries = (name: string) => ({ type: 'array', items: ref(name) })
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of vmess, in the JSON of V2Ray and Xray',
    ...root,
    properties: {
      $schema: { type: 'string' },
      ...(root.properties as Json),
      inbounds: { ...entries('inbound'), description: 'Where clients connect to.' },
      outbounds: { ...entries('outbound'), description: 'How targets are reached; the first is the default.' },
      inbound: ref('inbound'),
      outbound: ref('outbound'),
      inboundDetour: entries('inbound'),
      outboundDetour: entries('outbound'),
    },
    patternProperties: { '^(//|_comment)': {} },
    definitions: {
      inbound: withKinds(convert(inboundSchema(kinds)), kinds.inbounds, 'inbound'),
      outbound: withKinds(convert(outboundSchema(kinds)), kinds.outbounds, 'outbound'),
      streamSettings: withProperty(convert(streamSchema(kinds)), 'tlsSettings', ref('tlsSettings')),
      tlsSettings: convert(kinds.tls.schema),
      ...settingsOf(kinds.inbounds, 'inbound'),
      ...settingsOf(kinds.outbounds, 'outbound'),
    },
  }
}

interface Kind {
  readonly kind: string
  readonly aliases: readonly string[]
  readonly description: string
  readonly schema: z.ZodType
}

const settingsOf = (kinds: readonly Kind[], role: string): Json =>
  Object.fromEntries(
    kinds.map(({ kind, description, schema }) => [`${role}-${kind}`, { ...convert(schema), description }]),
  )

/** `settings` depend on `protocol`. */
function withKinds(schema: Json, kinds: readonly Kind[], role: string): Json {
  const streams = withProperty(schema, 'streamSettings', ref('streamSettings'))
  return {
    ...withProperty(streams, 'settings', { type: 'object' }),
    required: ['protocol'],
    allOf: kinds.map(({ kind, aliases }) => ({
      if: { properties: { protocol: { enum: [kind, ...aliases] } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { settings: ref(`${role}-${kind}`) } },
    })),
  }
}

const withProperty = (schema: Json, name: string, value: Json): Json => ({
  ...schema,
  properties: { ...(schema.properties as Json), [name]: value },
})

function convert(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const note = notes.get(zodSchema)
      if (note?.effect) {
        const effect = note.effect === 'none' ? 'No effect' : 'Refused'
        jsonSchema.description = `${jsonSchema.description ?? ''} ${effect}: ${note.reason}.`.trim()
        jsonSchema.deprecated = true
      }
      if (note?.required) jsonSchema.required = [...note.required]
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      delete jsonSchema.propertyNames
    },
  }) as Json
  return json
}

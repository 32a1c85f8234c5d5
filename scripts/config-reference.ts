/** The tables of docs/config.md and docs/config-errors.md, made from the schemas and the codes that the loader uses. */
import type { z } from 'zod'
import { builtin } from '../src/builtin/kinds.ts'
import { inboundSchema } from '../src/config/ends/inbound.ts'
import { outboundSchema } from '../src/config/ends/outbound.ts'
import { streamSchema } from '../src/config/ends/stream.ts'
import { rootSchema } from '../src/config/root.ts'
import type { Kinds } from '../src/kinds/kinds.ts'
import { problemCodes } from '../src/schema/codes.ts'
import { notes } from '../src/schema/fields.ts'

/** Everything below this line of docs/config.md is generated. */
export const marker = '<!-- Generated below this line: npx vitest run test/config/generated.test.ts -u -->'

/** The hand-written beginning of docs/config.md and fresh tables below it. */
export function referenceText(current: string, kinds: Kinds = builtin): string {
  const head = current.slice(0, current.indexOf(marker) + marker.length)
  const root = rootSchema(kinds)
  const sections: [title: string, schema: z.ZodType][] = [
    ['Outermost object', root],
    ['`inbounds[]`', inboundSchema(kinds)],
    ...kinds.inbounds.map((kind): [string, z.ZodType] => [titleOf('inbound', kind), kind.schema]),
    ['`outbounds[]`', outboundSchema(kinds)],
    ...kinds.outbounds.map((kind): [string, z.ZodType] => [titleOf('outbound', kind), kind.schema]),
    ['`streamSettings`', streamSchema(kinds)],
    ['`streamSettings.tlsSettings`', kinds.tls.schema],
    ...(['log', 'policy', 'routing', 'dns', 'api'] as const).map((key): [string, z.ZodType] => [
      `\`${key}\``,
      root.shape[key].unwrap(),
    ]),
  ]
  const apart = new Set(['log', 'policy', 'routing', 'dns', 'api', 'streamSettings'])
  const tables = sections.map(([title, schema]) => {
    const rows = rowsOf(schema, '', title === '`streamSettings`' ? new Set() : apart)
    return `## ${title}\n\n| field | type | meaning |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${head}\n\n${tables.join('\n')}`
}

const titleOf = (role: string, { kind, aliases }: { kind: string; aliases: readonly string[] }): string =>
  `\`settings\` of the ${role} \`${kind}\`${aliases.length > 0 ? ` (also \`${aliases.join('`, `')}\`)` : ''}`

/** A table of all codes. */
export const codesText = (): string =>
  [
    '# Codes of configuration problems',
    '',
    'Every message about a configuration carries one of these. They are stable: match on them in scripts.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...Object.entries(problemCodes).map(([code, text]) => `| \`${code}\` | ${text} |`),
    '',
  ].join('\n')

function rowsOf(schema: z.ZodType, path: string, apart: ReadonlySet<string>): string[] {
  const shape = (schema as z.ZodObject).shape as Record<string, z.ZodOptional<z.ZodType>>
  return Object.entries(shape).flatMap(([name, optional]) => {
    const field = optional.unwrap()
    const at = path === '' ? name : `${path}.${name}`
    const below = membersOf(field)
    const row = `| \`${at}\` | ${typeOf(field)} | ${meaningOf(field)} |`
    if (!below || apart.has(name)) return [row]
    return [row, ...rowsOf(below.schema, at + below.suffix, apart)]
  })
}

/** The object that a field holds, directly, as items, or as named members. */
function membersOf(schema: z.ZodType): { schema: z.ZodType; suffix: string } | undefined {
  const { def } = schema
  if (def.type === 'object') return { schema, suffix: '' }
  if (def.type === 'array') return nested((schema as z.ZodArray<z.ZodType>).element, '[]')
  if (def.type === 'record') return nested((schema as z.ZodRecord).valueType as z.ZodType, '.*')
  if (def.type !== 'union') return undefined
  const options = (schema as z.ZodUnion<readonly z.ZodType[]>).options
  return options.map(membersOf).find((found) => found !== undefined)
}

function nested(schema: z.ZodType, suffix: string): { schema: z.ZodType; suffix: string } | undefined {
  const found = membersOf(schema)
  return found && { schema: found.schema, suffix: suffix + found.suffix }
}

function typeOf(schema: z.ZodType): string {
  const { def } = schema
  switch (def.type) {
    case 'number': {
      const { minValue, maxValue } = schema as z.ZodNumber
      const bounded = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER
      return bounded ? `integer ${minValue} to ${maxValue}` : 'integer'
    }
    case 'enum':
      return (schema as z.ZodEnum).options.map((word) => `\`${word}\``).join(' ')
    case 'literal':
      return `\`${(schema as z.ZodLiteral).value}\``
    case 'union':
      return [...new Set((schema as z.ZodUnion<readonly z.ZodType[]>).options.map(typeOf))].join(' or ')
    case 'array':
      return `array of ${typeOf((schema as z.ZodArray<z.ZodType>).element)}`
    case 'record':
    case 'custom':
      return 'object'
    case 'unknown':
      return 'anything'
    default:
      return def.type
  }
}

function meaningOf(schema: z.ZodType): string {
  const note = notes.get(schema)
  const effect = note?.effect === 'none' ? 'No effect, warned about' : 'Refused'
  const parts = [schema.description ?? '', note?.effect ? `**${effect}**: ${note.reason}.` : '']
  return parts.filter(Boolean).join(' ').replaceAll('|', '\\|')
}

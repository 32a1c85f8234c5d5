/** A configuration in TOML, as a tree. Its parser tells no positions, so that messages name paths only. Loaded only for such a file. */
import { parse, TomlError } from 'smol-toml'
import type { Report } from '../../schema/report.ts'
import { fromValue, type JsonNode, type Source } from '../../schema/tree.ts'

/** Undefined when it is no TOML, which has then been reported. */
export function parseToml(source: Source, report: Report): JsonNode | undefined {
  try {
    return fromValue(plain(parse(source.text)), { ...source, text: '' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const lines = source.text.split('\n').slice(0, error.line - 1)
    const offset = lines.reduce((sum, line) => sum + line.length + 1, 0) + Math.max(0, error.column - 1)
    const message = `this is not TOML: ${error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')}`
    report.error('CFG001', { source, offset, path: '' }, message)
    return undefined
  }
}

/** Dates and large numbers are text to whoever reads on. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

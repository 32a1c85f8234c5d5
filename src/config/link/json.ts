/** JSON inside links, as other readers take it. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { linkError } from './text.ts'

/** What a lenient reader overlooks; a text that ends early or lacks a bracket is a link that was cut off. */
const harmless: ReadonlySet<string> = new Set(['InvalidCharacter', 'InvalidCommentToken'])

/** `part` names the text in messages, which never quote it: it holds the id. */
export function readJsonObject(text: string, part: string): object {
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  if (errors.some(({ error }) => !harmless.has(printParseErrorCode(error)))) {
    throw linkError(part, 'holds broken JSON', 'copy the link again, whole')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw linkError(part, 'is not a JSON object', 'copy the link again, whole')
}

/** A value as text: numbers and strings mean the same, a list of strings is joined by commas. */
export function fieldText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value.trim()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (isList(value)) return value.join(',')
  return JSON.stringify(value)
}

export const isList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string')

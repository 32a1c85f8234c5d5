import { type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Report } from '../../schema/report.ts'
import { type JsonNode, maxDepth, positionOf, type Source } from '../../schema/tree.ts'
import { hintFor } from './hints.ts'
import { readJson } from './json.ts'
import { stripComments } from './strip.ts'

/** One text to load. */
export interface SourceText {
  /** Shown in messages. */
  readonly name: string
  readonly text: string
  /** Reads what is not JSON; undefined when it cannot be read, which it reports. */
  readonly parse?: Parse
}

export type Parse = (source: Source, report: Report) => JsonNode | undefined

/** Reads one text. Undefined when it is not JSON, which has then been reported. */
export function parseSource({ name, text, parse }: SourceText, order: number, report: Report): JsonNode | undefined {
  if (parse) return parse({ name, order, text: text.replace(/^\uFEFF/, '') }, report)
  const stripped = stripComments(text.replace(/^\uFEFF/, ''))
  const source: Source = { name, order, text: stripped.text }
  const place = (offset: number) => ({ source, offset, path: '' })
  if (stripped.text.trim() === '') {
    report.error('CFG002', place(0), 'the file is empty; expected a JSON object', 'an idle instance is written {}')
    return undefined
  }
  if (stripped.depth > maxDepth) {
    report.error('CFG007', place(0), `brackets are nested ${stripped.depth} deep; at most ${maxDepth} are accepted`)
    return undefined
  }
  const root = readJson(source, stripped.end, report)
  if (!root) {
    const errors: ParseError[] = []
    parseTree(stripped.text.slice(0, stripped.end), errors, { disallowComments: true, allowTrailingComma: false })
    const [{ error, offset } = { error: undefined, offset: 0 }] = errors
    reportSyntax(source, error === undefined ? 'ValueExpected' : printParseErrorCode(error), offset, report)
    return undefined
  }
  const rest = stripped.text.slice(stripped.end).search(/\S/)
  if (rest >= 0) {
    report.warn('CFG004', place(stripped.end + rest), 'this text after the end of the configuration is ignored')
  }
  for (const comma of stripped.trailingCommas) {
    report.warn('CFG005', place(comma), 'a comma before a closing bracket', 'remove it: V2Ray and Xray refuse it')
  }
  return root
}

const texts: Readonly<Record<string, string>> = {
  InvalidNumberFormat: 'expected a number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon after the key',
  CommaExpected: 'expected a comma or a closing bracket',
  CloseBraceExpected: 'expected a closing brace }',
  CloseBracketExpected: 'expected a closing bracket ]',
  EndOfFileExpected: 'expected nothing more after this value',
  UnexpectedEndOfString: 'this string is not closed on its line',
  UnexpectedEndOfNumber: 'this number is not finished',
  InvalidUnicode: 'expected four hex digits after \\u',
  InvalidEscapeCharacter: 'no such escape in JSON',
  InvalidCharacter: 'a control character inside a string',
}

function reportSyntax(source: Source, error: string, offset: number, report: Report): void {
  const { text } = source
  const what = texts[error] ?? 'this is not JSON'
  const atEnd = text.slice(offset).trim() === ''
  const message = atEnd ? `the file ends too early: ${what}` : what
  report.syntax({ source, offset, path: '' }, message, excerptOf(source, offset), hintFor(error, text, offset))
}

const excerptWidth = 100

/** The line around `offset` without its secrets, and a caret below the place. */
function excerptOf(source: Source, offset: number): string {
  const { column } = positionOf(source, offset)
  const start = offset - column + 1
  const newline = source.text.indexOf('\n', start)
  const line = hideSecrets(source.text.slice(start, newline < 0 ? undefined : newline)).replace(/[\t\r]/g, ' ')
  const from = Math.max(0, Math.min(column - 1 - excerptWidth / 2, line.length - excerptWidth))
  const head = from > 0 ? '…' : ''
  const tail = line.length > from + excerptWidth ? '…' : ''
  const shown = line.slice(from, from + excerptWidth).trimEnd()
  return `${head}${shown}${tail}\n${' '.repeat(head.length + column - 1 - from)}^`
}

/** Stars for passwords, ids and keys, as long as what they hide. Ids keep their first eight characters. */
function hideSecrets(line: string): string {
  const fields = /("(?:id|uuid|pass|password|token|key|seed|users|clients)"\s*:\s*\[?\s*["'])([^"']*)/gi
  const uuids = /([0-9a-f]{8})(-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})/gi
  return line
    .replace(uuids, (_all, start: string, rest: string) => start + '*'.repeat(rest.length))
    .replace(fields, (_all, start: string, secret: string) => {
      const shown = /"(?:id|uuid|users|clients)"/i.test(start) ? secret.slice(0, 8) : ''
      return start + shown + '*'.repeat(secret.length - shown.length)
    })
}

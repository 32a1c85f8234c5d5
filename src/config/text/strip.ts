/**
 * The step before JSON: comments (`//` and `#` to the end of the line, and the slash-star form, not nested) become
 * blanks, so that every offset stays true. Inside double or single quotes nothing is special; single quotes protect a
 * comment sign but are no JSON strings, the parser refuses them.
 */

import { backslash, closeBrace, closeBracket, comma, openBrace, openBracket, quote } from './scanner.ts'

export interface Stripped {
  /** As long as the input. */
  readonly text: string
  /** Offsets of commas before a closing bracket; blanked as well, for they change nothing. */
  readonly trailingCommas: readonly number[]
  /** Deepest nesting of brackets outside quotes, up to `end`. */
  readonly depth: number
  /** Offset behind the bracket that closes the outermost one; the length of the text when none does. */
  readonly end: number
}

const [hash, slash, apostrophe] = [0x23, 0x2f, 0x27]

export function stripComments(text: string): Stripped {
  const blanks: [from: number, to: number][] = []
  const trailingCommas: number[] = []
  let depth = 0
  let deepest = 0
  let end: number | undefined
  /** The last significant character, the one before it, and where the last one stands. */
  let last = 0
  let before = 0
  let lastAt = 0
  for (let i = 0; i < text.length; ) {
    const char = text.charCodeAt(i)
    const comment = char === hash || char === slash ? endOfComment(text, i) : i
    if (comment > i) {
      blanks.push([i, comment])
      i = comment
      continue
    }
    // What follows the end is not read: only its comments matter, so that they do not count as text.
    if (end !== undefined || isBlank(char)) {
      i++
      continue
    }
    const closes = char === closeBrace || char === closeBracket
    if (closes && last === comma && before !== openBracket && before !== openBrace && before !== comma) {
      trailingCommas.push(lastAt)
      blanks.push([lastAt, lastAt + 1])
    }
    if (char === openBrace || char === openBracket) deepest = Math.max(deepest, ++depth)
    if (closes && --depth === 0) end = i + 1
    before = last
    last = char
    lastAt = i
    i = char === quote || char === apostrophe ? endOfQuotes(text, i, char) : i + 1
  }
  return { text: blank(text, blanks), trailingCommas, depth: deepest, end: end ?? text.length }
}

const isBlank = (char: number): boolean =>
  char === 0x20 || (char >= 0x09 && char <= 0x0d) || (char > 0x7f && /\s/.test(String.fromCharCode(char)))

/** Where the comment that begins at `at` ends; `at` when none begins there. */
function endOfComment(text: string, at: number): number {
  const two = text.slice(at, at + 2)
  if (text[at] === '#' || two === '//') {
    const end = text.indexOf('\n', at)
    return end < 0 ? text.length : end
  }
  if (two !== '/*') return at
  const end = text.indexOf('*/', at + 2)
  return end < 0 ? text.length : end + 2
}

function endOfQuotes(text: string, at: number, quotes: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === backslash) i++
    else if (char === quotes) return i + 1
  }
  return text.length
}

function blank(text: string, ranges: readonly (readonly [number, number])[]): string {
  let result = ''
  let done = 0
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    result += text.slice(done, from) + text.slice(from, to).replace(/[^\r\n]/g, ' ')
    done = to
  }
  return result + text.slice(done)
}

/**
 * The step before JSON: comments (`//` and `#` to the end of the line, and the slash-star form, not nested) become
 * blanks, so that every offset stays true. Inside double or single quotes nothing is special; single quotes protect a
 * comment sign but are no JSON strings, the parser refuses them.
 */

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

export function stripComments(text: string): Stripped {
  const blanks: [from: number, to: number][] = []
  const trailingCommas: number[] = []
  let depth = 0
  let deepest = 0
  let end: number | undefined
  /** The last significant character, the one before it, and where the last one stands. */
  let last = ''
  let before = ''
  let lastAt = 0
  for (let i = 0; i < text.length; ) {
    const char = text[i]!
    const comment = endOfComment(text, i)
    if (comment > i) {
      blanks.push([i, comment])
      i = comment
      continue
    }
    // What follows the end is not read: only its comments matter, so that they do not count as text.
    if (end !== undefined || /\s/.test(char)) {
      i++
      continue
    }
    if ((char === '}' || char === ']') && last === ',' && !'[{,'.includes(before)) {
      trailingCommas.push(lastAt)
      blanks.push([lastAt, lastAt + 1])
    }
    if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    if ((char === '}' || char === ']') && --depth === 0) end = i + 1
    before = last
    last = char
    lastAt = i
    i = char === '"' || char === "'" ? endOfQuotes(text, i) : i + 1
  }
  return { text: blank(text, blanks), trailingCommas, depth: deepest, end: end ?? text.length }
}

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

function endOfQuotes(text: string, at: number): number {
  const quote = text[at]
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i + 1
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

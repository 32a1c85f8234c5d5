/** What people do to JSON, and what to write instead. */

/** Of punctuation that only looks like JSON's: an input method or a word processor put it there. */
const straight: Readonly<Record<string, string>> = {
  '，': ',',
  '、': ',',
  '،': ',',
  '；': ',',
  '：': ':',
  '｛': '{',
  '｝': '}',
  '［': '[',
  '］': ']',
  '【': '[',
  '】': ']',
}

/** A hint for the syntax error of that name at `offset`; undefined where the message says it all. */
export function hintFor(error: string, text: string, offset: number): string | undefined {
  return hintForFile(text) ?? hintForLetter(text[offset] ?? '') ?? hintForWords(error, text, offset)
}

/** Something else altogether. */
function hintForFile(text: string): string | undefined {
  const start = text.slice(0, 200).trimStart()
  if (text.includes('\0') || start.startsWith('\ufffd'))
    return 'this file is not in UTF-8: save it in UTF-8, which Windows PowerShell does not by itself'
  if (start.startsWith('vmess:')) return 'this is a share link: use it with "connect"'
  if (/^<(?:!doctype|html|\?xml)/i.test(start)) return 'this is a web page: download the file itself (“raw”)'
  if (start.startsWith('"')) return 'a configuration stands in braces: { … }'
  return undefined
}

function hintForLetter(found: string): string | undefined {
  if (found === "'") return 'JSON strings stand in double quotes'
  if (/[\u201c-\u201f\u00ab\u00bb]/.test(found)) return 'write straight quotes "…" instead of typographic ones'
  const right = straight[found]
  if (right) return `write "${right}" instead of "${found}"`
  if (/[^\P{Z} ]|\p{Cf}/u.test(found)) return `delete the character here, which cannot be seen: U+${code(found)}`
  if (found === '/') return 'comments are //, # and /* */'
  if (found === ';') return 'write "," instead of ";"'
  if (/[$*.<…]/.test(found)) return 'write a value instead of this placeholder'
  return undefined
}

const code = (letter: string): string => letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')

function hintForWords(error: string, text: string, offset: number): string | undefined {
  const rest = text.slice(offset, offset + 40)
  const word = /^\w+/.exec(rest)?.[0]
  if (word === 'True' || word === 'False' || word === 'None') return 'JSON writes true, false and null'
  if (error === 'InvalidEscapeCharacter') return 'write two backslashes for one, or / in the path of a file'
  if (error !== 'CommaExpected') return undefined
  const digits = /^\d+/.exec(rest)?.[0]
  if (digits && text[offset - 1] === '0') return `a number has no 0 in front: write ${digits}`
  return /^["{[\w-]/.test(rest) ? 'a comma is missing after the value before this place' : undefined
}

/**
 * Heads of requests and responses (RFC 9112). Requests are read strictly: a folded line, a blank before a colon or a name
 * that is no token is refused, because two readers could disagree on where such a message ends. Responses are written
 * anew from what was understood, so of theirs everything is taken that has one meaning, and other lines are dropped.
 */

import { canonicalName, type Header } from './headers.ts'
import { BadRequest, type MessageKind, unacceptable } from './problems.ts'
import { textOf, trimmed } from './text.ts'

export interface RequestHead {
  readonly method: string
  /** As sent: origin form, absolute URI, authority (CONNECT) or `*`. */
  readonly target: string
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and later minor versions. */
  readonly minor: 0 | 1
  readonly headers: readonly Header[]
}

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minor: 0 | 1
  readonly headers: readonly Header[]
}

const CR = 0x0d
const LF = 0x0a
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Reads a whole head of a request. Throws HTTP_BAD_REQUEST. */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const [first = '', ...lines] = linesIn(bytes)
  // Blanks and tabs only: to `\s` the byte A0, which is a part of many UTF-8 characters, is white space too.
  const match = /^([^ \t]+) ([^ \t]+) HTTP\/(\d)\.(\d)$/.exec(first)
  if (!match || !TOKEN.test(match[1]!)) throw unacceptable('request', 'its first line')
  if (match[3] !== '1') throw new BadRequest('this proxy speaks HTTP/1.1 and HTTP/1.0', 505)
  const headers = lines.map(requestHeader)
  return { method: match[1]!, target: match[2]!, minor: match[4] === '0' ? 0 : 1, headers }
}

/** Reads a whole head of a response. Throws HTTP_BAD_RESPONSE if its status line says nothing. */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const [first = '', ...lines] = linesIn(bytes).map(withBlanks)
  const match = /^HTTP\/1\.(\d)[ \t]+([1-9]\d\d)(?:[ \t]+(.*))?$/.exec(first)
  if (!match) throw unacceptable('response', 'the status line')
  return {
    status: Number(match[2]),
    reason: trimmed(match[3] ?? ''),
    minor: match[1] === '0' ? 0 : 1,
    headers: responseHeaders(lines),
  }
}

/** Bare carriage returns and zero bytes become blanks, which a reader may make of them (RFC 9110, section 5.5). */
const withBlanks = (line: string): string => line.replace(/[\r\0]/g, ' ')

/** The header lines that end a chunked body. Throws only for a request. */
export const trailersFrom = (lines: readonly string[], kind: MessageKind): Header[] =>
  kind === 'request' ? lines.map(requestTrailer) : responseHeaders(lines.map(withBlanks))

/**
 * Lines of a head, without line ends and without the empty one at the end. Each is a text of its own: parts of one text
 * would keep all of it, and who is asked for is remembered for as long as a connection lasts.
 */
function linesIn(bytes: Uint8Array): string[] {
  const lines: string[] = []
  for (let from = 0; from < bytes.length; ) {
    const feed = bytes.indexOf(LF, from)
    const end = feed < 0 ? bytes.length : feed
    const to = feed > from && bytes[feed - 1] === CR ? feed - 1 : end
    if (to > from) lines.push(textOf(bytes.subarray(from, to)))
    from = end + 1
  }
  return lines
}

function requestHeader(line: string): Header {
  if (isFolded(line)) throw unacceptable('request', 'a folded header line')
  const [name, value] = parted(line)
  if (/[ \t]$/.test(name)) throw unacceptable('request', 'a blank before the colon of a header')
  if (!TOKEN.test(name)) throw unacceptable('request', 'a header name')
  return { name: canonicalName(name), value }
}

/** A head with a control character does not come this far, a trailer does. */
function requestTrailer(line: string): Header {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(line)) throw unacceptable('request', 'a control character')
  return requestHeader(line)
}

/** Folds become blanks, blanks before a colon go, and so do lines that are no header. */
function responseHeaders(lines: readonly string[]): Header[] {
  const whole: string[][] = []
  for (const line of lines) {
    if (!isFolded(line)) whole.push([line])
    else whole.at(-1)?.push(line)
  }
  return whole
    .map((parts) => parts.map(trimmed).join(' '))
    .map(parted)
    .map(([name, value]) => ({ name: trimmed(name), value }))
    .filter(({ name }) => TOKEN.test(name))
    .map(({ name, value }) => ({ name: canonicalName(name), value }))
}

const isFolded = (line: string): boolean => line.startsWith(' ') || line.startsWith('\t')

/** What stands before and after the first colon; a line without one has no name. */
function parted(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, Math.max(colon, 0)), trimmed(line.slice(colon + 1))]
}

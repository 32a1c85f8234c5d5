import { trimmed } from './text.ts'

/** One header field: the name in canonical case (`X-Lower`), the value without white space around it. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** First letters in upper case, the others in lower case, as Go writes them and V2Ray sends them on. */
export const canonicalName = (name: string): string =>
  name.toLowerCase().replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())

/** Every value of a header, in order. `name` in canonical case. */
export const valuesOf = (headers: readonly Header[], name: string): string[] =>
  headers.filter((header) => header.name === name).map((header) => header.value)

/** The members of a header that is a comma-separated list; empty ones do not count (RFC 9110, section 5.6.1). */
export const membersOf = (headers: readonly Header[], name: string): string[] =>
  valuesOf(headers, name)
    .flatMap((value) => value.split(','))
    .map(trimmed)
    .filter((member) => member !== '')

/** The same in lower case. */
export const tokensOf = (headers: readonly Header[], name: string): string[] =>
  membersOf(headers, name).map((member) => member.toLowerCase())

/** What V2Ray removes. `Keep-Alive` is not among them, and reaches the origin. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Te',
  'Trailers',
  'Transfer-Encoding',
  'Upgrade',
])

/** Without what concerns one connection only: the list above and what `Connection` names. */
export function withoutHopByHop(headers: readonly Header[], named = tokensOf(headers, 'Connection')): Header[] {
  const also = new Set(named.map(canonicalName))
  return headers.filter(({ name }) => !HOP_BY_HOP.has(name) && !also.has(name))
}

/** Header lines sorted by name, several values of one name in their order. */
export function linesOf(headers: readonly Header[]): string {
  const sorted = [...headers].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return sorted.map(({ name, value }) => `${name}: ${value}\r\n`).join('')
}

/** Requests of a client. */
import type { Header } from '../http/headers.ts'
import { escapePath } from '../http/path.ts'
import type { Draw, Place, Range, Shape } from './model.ts'
import { draw } from './model.ts'
import { type Draft, padRequest } from './padding.ts'
import { withQueryValue } from './words.ts'

export interface Asking {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Without Host and what is about the body. */
  readonly headers: readonly Header[]
}

export interface Origin {
  readonly secure: boolean
  readonly host: string
}

export interface AskingOptions {
  readonly method: string
  /** `''`: none. */
  readonly id: string
  readonly seq?: number
  /** What goes with every request, and with this one. */
  readonly headers: readonly Header[]
}

/** One request, padded, with session id and number where they belong. */
export function asking(shape: Shape, origin: Origin, options: AskingOptions, random: Draw): Asking {
  const { method, id, seq, headers } = options
  const base = escapePath(shape.base)
  const url = `${origin.secure ? 'https' : 'http'}://${origin.host}${base}`
  const padded = padRequest({ query: shape.query, headers }, shape.padding, url, random)
  const path: string[] = []
  let draft = id === '' ? padded : place(padded, shape.session, id, path)
  if (seq !== undefined) draft = place(draft, shape.seq, String(seq), path)
  const target = `${base}${path.map(encodeURIComponent).join('/')}${draft.query === '' ? '' : `?${draft.query}`}`
  return { method, target, headers: withOneCookie(draft.headers) }
}

function place({ query, headers }: Draft, { at, key }: Place, word: string, path: string[]): Draft {
  if (at === 'query') return { query: withQueryValue(query, key, word), headers }
  if (at === 'header') return { query, headers: [...headers, { name: key, value: word }] }
  if (at === 'cookie') return { query, headers: [...headers, { name: 'Cookie', value: `${key}=${word}` }] }
  path.push(word)
  return { query, headers }
}

/** HTTP/1 has one line of cookies. */
function withOneCookie(headers: readonly Header[]): readonly Header[] {
  const cookies = headers.filter(({ name }) => name.toLowerCase() === 'cookie')
  if (cookies.length < 2) return headers
  const value = cookies.map((cookie) => cookie.value).join('; ')
  return [...headers.filter((header) => !cookies.includes(header)), { name: 'Cookie', value }]
}

/** A session id: letters of a table, or a UUID (version 4). */
export function makeId({ table, length }: { readonly table: string; readonly length: Range }, random: Draw): string {
  if (table !== '') {
    let id = ''
    for (let left = draw(random, length); left > 0; left--) id += table[random.below(table.length)]
    return id
  }
  const hex = (digits: number): string => {
    let text = ''
    for (let i = 0; i < digits; i++) text += random.below(16).toString(16)
    return text
  }
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + random.below(4)).toString(16)}${hex(3)}-${hex(12)}`
}

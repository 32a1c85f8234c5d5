import type { RequestHead } from '../http/head.ts'
import { canonicalName, type Header, valuesOf } from '../http/headers.ts'
import { huffmanBits, huffmanLength } from './huffman-length.ts'
import { type Draw, draw, type Padding } from './model.ts'
import { cookieOf, queryOf, queryValue, withQueryValue } from './words.ts'

/** Of Xray, where nothing else is configured. */
const plain = { key: 'x_padding', request: 'Referer', answer: 'X-Padding' } as const

/** Bytes by which a padding of letters and digits may miss its length, as with Xray. */
const tolerance = 2

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A padding for one message. */
export function makePadding({ bytes, method }: Padding, random: Draw): string {
  const length = draw(random, bytes)
  if (method === 'repeat-x') return 'X'.repeat(length)
  let text = ''
  for (let bits = 0; bits < length * 8 - 7; ) {
    const letter = letters[random.below(letters.length)]!
    text += letter
    bits += huffmanBits(letter.charCodeAt(0))
  }
  return text
}

/** A request as it is going to be sent. */
export interface Draft {
  /** Without question mark. */
  readonly query: string
  readonly headers: readonly Header[]
}

/** Pads a request. `url`: scheme, host and path before anything was added, for a padding that looks like a link. */
export function padRequest({ query, headers }: Draft, padding: Padding, url: string, random: Draw): Draft {
  const text = makePadding(padding, random)
  const { at, key, header } = padding.placed ?? { at: 'queryInHeader', key: plain.key, header: plain.request }
  if (at === 'query') return { query: withQueryValue(query, key, text), headers }
  if (at === 'cookie') return { query, headers: [...headers, { name: 'Cookie', value: `${key}=${text}` }] }
  const value = at === 'header' ? text : `${url}?${key}=${text}`
  return { query, headers: [...headers.filter(({ name }) => !sameName(name, header)), { name: header, value }] }
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The header that pads an answer; none where a padding has its place in the query of requests. */
export function padAnswer(padding: Padding, random: Draw): readonly Header[] {
  const text = makePadding(padding, random)
  if (!padding.placed) return [{ name: plain.answer, value: text }]
  const { at, key, header } = padding.placed
  if (at === 'query') return []
  if (at === 'cookie') return [{ name: 'Set-Cookie', value: `${key}=${text}; Path=/` }]
  return [{ name: header, value: at === 'header' ? text : `?${key}=${text}` }]
}

/** Why the padding of a request is not right; undefined: it is. */
export function wrongPadding(head: RequestHead, padding: Padding): string | undefined {
  const text = takePadding(head, padding)
  if (text === '')
    return 'it has no padding where xhttp has it here; is it a browser, or are xPadding… settings other ones?'
  const { from, to } = padding.bytes
  const length = padding.method === 'tokenish' ? huffmanLength(text) : text.length
  const slack = padding.method === 'tokenish' ? tolerance : 0
  if (length >= from - slack && length <= to + slack) return undefined
  return `its padding is ${length} bytes, and xPaddingBytes here ${from}-${to}`
}

function takePadding({ target, headers }: RequestHead, { placed }: Padding): string {
  const query = queryOf(target)
  if (!placed) {
    // Older clients had it in their own query. Who sends a link has it there.
    const [link = ''] = valuesOf(headers, plain.request)
    return queryValue(link === '' ? query : queryOf(link), plain.key)
  }
  const { at, key, header } = placed
  const cookie = cookieOf(headers, key)
  if (cookie) return cookie
  const [value = ''] = valuesOf(headers, canonicalName(header))
  if (value !== '') return at === 'header' ? value : queryValue(queryOf(value), key)
  return queryValue(query, key)
}

/** Words in queries and cookies. */
import { type Header, valuesOf } from '../http/headers.ts'
import { trimmed } from '../http/text.ts'

/** What stands behind the question mark of a request target or URL; `''` if there is none. */
export function queryOf(target: string): string {
  const mark = target.indexOf('?')
  if (mark < 0) return ''
  const hash = target.indexOf('#', mark)
  return hash < 0 ? target.slice(mark + 1) : target.slice(mark + 1, hash)
}

/** The first value of a name; `''` if there is none, or none that can be decoded. */
export function queryValue(query: string, name: string): string {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const key = equals < 0 ? pair : pair.slice(0, equals)
    if (decoded(key) === name) return equals < 0 ? '' : (decoded(pair.slice(equals + 1)) ?? '')
  }
  return ''
}

export function withQueryValue(query: string, name: string, value: string): string {
  const kept = query.split('&').filter((pair) => pair !== '' && decoded(pair.split('=', 1)[0]!) !== name)
  return [...kept, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&')
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** The first cookie of a name, without quotes around it. */
export function cookieOf(headers: readonly Header[], name: string): string | undefined {
  for (const line of valuesOf(headers, 'Cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=')
      if (equals < 0 || trimmed(pair.slice(0, equals)) !== name) continue
      return trimmed(pair.slice(equals + 1)).replace(/^"(.*)"$/, '$1')
    }
  }
  return undefined
}

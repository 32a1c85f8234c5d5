import type { Verdict } from './model.ts'
import { usableName } from './model.ts'

const methods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'PATCH', 'TRACE']
const longest = 7

/**
 * A request of HTTP/1 with a Host. The rules are those of the peers, in all their laxness: any letter case, no blank behind the
 * method, the last Host counts, and after a blank line that ends in CR the body is searched too.
 * @param final nothing more will come: a Host whose line has not ended is taken as it is
 */
export function sniffHttp1(seen: Uint8Array, final: boolean): Verdict {
  const method = methodAt(seen)
  if (method !== 'yes') return method
  const host = hostOf(seen, final)
  if (host === undefined) return 'undecided'
  const name = withoutPort(host)
  if (name === undefined) return 'no'
  return { protocol: 'http1', domain: usableName(name), attributes: attributesOf(seen) }
}

/** As Xray tells rules: all lines up to the first empty one; the first line only where it has three parts. */
function attributesOf(seen: Uint8Array): Readonly<Record<string, string>> {
  const [first = '', ...lines] = text.decode(seen).split('\n')
  const [method, path, version, ...more] = first.trimEnd().split(' ')
  const attributes: Record<string, string> = Object.create(null)
  for (const line of lines) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon > 0) attributes[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  if (version !== undefined && more.length === 0) Object.assign(attributes, { ':method': method, ':path': path })
  return attributes
}

function methodAt(seen: Uint8Array): 'yes' | 'no' | 'undecided' {
  const start = String.fromCharCode(...seen.subarray(0, longest)).toUpperCase()
  if (methods.some((method) => start.startsWith(method))) return 'yes'
  return methods.some((method) => method.startsWith(start)) ? 'undecided' : 'no'
}

const lf = 10

/** The value of the last Host, trimmed and in lower case; undefined where none came yet. */
function hostOf(seen: Uint8Array, final: boolean): string | undefined {
  let host: string | undefined
  for (let from = seen.indexOf(lf) + 1; from > 0; ) {
    const at = seen.indexOf(lf, from)
    if (at < 0 && !final) break
    const end = at < 0 ? seen.length : at
    if (end === from) break
    host = hostIn(seen, from, end) ?? host
    from = at + 1
  }
  return host
}

const isHost = [/h/i, /o/i, /s/i, /t/i, /:/]

function hostIn(seen: Uint8Array, from: number, end: number): string | undefined {
  for (const [i, letter] of isHost.entries()) {
    if (from + i >= end || !letter.test(String.fromCharCode(seen[from + i]!))) return undefined
  }
  const value = text
    .decode(seen.subarray(from + isHost.length, end))
    .trim()
    .toLowerCase()
  return value || undefined
}

const text = new TextDecoder()

/** The host of `host:port`; undefined if what follows the colon is no number. */
function withoutPort(value: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(value)
  return match?.[1]
}

/** What nginx makes of the target of a request. */

export interface SitePath {
  /** Names of folders and of the file, decoded; the last is `''` where the path ends with a slash. */
  readonly segments: readonly string[]
  /** With its question mark; `''`: none. */
  readonly query: string
}

/** Undefined: nginx answers 400. */
export function siteTarget(target: string): SitePath | undefined {
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?(\/[^?#]*|(?=[?#]|$))(\?[^#]*)?/i.exec(target)
  if (!match || (target.startsWith('/') ? match[1] === '' : !target.includes('://'))) return undefined
  let decoded: Uint8Array | undefined
  try {
    decoded = unescaped(match[1] || '/')
  } catch {
    return undefined
  }
  const segments: string[] = []
  const names = new TextDecoder().decode(decoded).split('/').slice(1)
  for (const [i, name] of names.entries()) {
    const last = i === names.length - 1
    if (name === '..' && segments.pop() === undefined) return undefined
    if (name === '' || name === '.' || name === '..') {
      if (last) segments.push('')
    } else segments.push(name)
  }
  return { segments, query: match[2] ?? '' }
}

/** Throws for an escape that is none, or a zero byte. */
function unescaped(path: string): Uint8Array {
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) throw new URIError('not a path')
  const bytes = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Uint8Array.from(bytes, (char) => char.charCodeAt(0))
}

/** A path as nginx writes it into a Location. */
export const escapedPath = (segments: readonly string[]): string =>
  `/${segments.map((name) => encodeURI(name).replace(/[#?]|%5[BD]/g, (text) => otherWise[text]!)).join('/')}`

/** Where encodeURI() is of another opinion. */
const otherWise: Readonly<Record<string, string>> = { '#': '%23', '?': '%3F', '%5B': '[', '%5D': ']' }

/** What two parts of a configuration have in common. Where something stands in a file is no part of what it says. */

const places: ReadonlySet<string> = new Set(['at', 'file', 'line', 'column'])

/** Equal in everything but its place: plain data with byte arrays and maps. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (kindOf(a) !== kindOf(b)) return false
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  if (a instanceof Map && b instanceof Map) return a.size === b.size && [...a].every(([k, v]) => same(v, b.get(k)))
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]))
  const [left, right] = [said(a), said(b)]
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)))
}

const kindOf = (value: object): string =>
  Array.isArray(value) ? 'list' : value instanceof Uint8Array ? 'bytes' : value instanceof Map ? 'map' : 'object'

/** A field that is absent and one that is undefined say the same. */
const said = (value: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(value).filter(([key, member]) => member !== undefined && !places.has(key)))

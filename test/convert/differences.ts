import { same } from '../../src/settings/same.ts'

const isTree = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Map)

/** Where two configurations differ; what lies below one of `tops` is one place. */
export function differences(a: unknown, b: unknown, tops: readonly string[], path = ''): string[] {
  if (same(a, b)) return []
  if (tops.includes(path) || !isTree(a) || !isTree(b)) return [path]
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  const member = (value: object, key: string): unknown => Reflect.get(value, key)
  return keys
    .filter((key) => !['at', 'file', 'line', 'column'].includes(key))
    .flatMap((key) => differences(member(a, key), member(b, key), tops, path === '' ? key : `${path}.${key}`))
}

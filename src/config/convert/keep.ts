/** Keeps of a value what a program reads, by a table of its keys, and says what it passes over. */
import type { Losses } from './lost.ts'
import { asPlain, isEmpty, isPlain, join } from './plain.ts'

/** `true`: anything; a list: each item; an object: its keys, or `*` for any key; a function: by what stands in the value. */
export type Shape =
  | true
  | readonly [Shape]
  | { readonly [key: string]: Shape }
  | ((value: Readonly<Record<string, unknown>>) => Shape)

/** Shape of members that are read as they are: names with blanks between. */
export const keys = (names: string, more: Readonly<Record<string, Shape>> = {}): Readonly<Record<string, Shape>> => ({
  ...Object.fromEntries(names.split(' ').map((name) => [name, true as const])),
  ...more,
})

export function keep(value: unknown, shape: Shape, path: string, why: string, losses: Losses): unknown {
  if (shape === true || value === undefined || value === null) return value
  if (isList(shape)) {
    return Array.isArray(value)
      ? value.map((item, i) => keep(item, shape[0], join(path, i), why, losses))
      : keep(value, shape[0], path, why, losses)
  }
  if (typeof shape === 'function') return keep(value, shape(asPlain(value)), path, why, losses)
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      const inner = Object.hasOwn(shape, key) ? shape[key]! : shape['*']
      if (inner === undefined) {
        if (!isEmpty(member)) losses.say(join(path, key), member, why)
        return []
      }
      return [[key, keep(member, inner, join(path, key), why, losses)]]
    }),
  )
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)

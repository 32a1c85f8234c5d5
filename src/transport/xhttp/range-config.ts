/** Ranges of numbers in the settings of xhttp. */
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import type { XhttpRange } from '../../settings/xhttp.ts'

type Written = number | string | undefined

/** As Xray reads it: 0 is the default, the larger one of two may come first. */
export function readRange<K extends string>(
  input: { readonly [key in K]?: Written },
  key: K,
  fallback: XhttpRange,
  { report }: Context,
): XhttpRange {
  const written = input[key]
  if (written === undefined) return fallback
  const match = /^\s*(-?\d{1,9})\s*(?:-\s*(-?\d{1,9}))?\s*$/.exec(String(written))
  if (!match) {
    const found = `${JSON.stringify(shorten(String(written)))} is no range`
    report.error('CFG022', report.at(input, key), found, 'write a whole number, or two as "100-1000"')
    return fallback
  }
  const a = Number(match[1])
  const b = Number(match[2] ?? match[1])
  const read = { from: Math.min(a, b), to: Math.max(a, b) }
  return read.to === 0 ? fallback : read
}

/** The same of what must be more than nothing. */
export function readPositive<K extends string>(
  input: { readonly [key in K]?: Written },
  key: K,
  fallback: XhttpRange,
  context: Context,
): XhttpRange {
  const read = readRange(input, key, fallback, context)
  if (read.from > 0) return read
  const { report } = context
  report.error('CFG023', report.at(input, key), `"${key}" begins at ${read.from}; expected more than 0`)
  return fallback
}

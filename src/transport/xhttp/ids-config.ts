/** What session ids are made of. */
import type { Context } from '../../schema/context.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import type { XhttpFields } from './fields-config.ts'
import { readRange } from './range-config.ts'

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const lower = upper.toLowerCase()
const digits = '0123456789'

const tables: Readonly<Record<string, string>> = {
  ALPHABET: upper,
  Alphabet: upper + lower,
  alphabet: lower,
  BASE36: digits + upper,
  base36: digits + lower,
  Base62: digits + upper + lower,
  HEX: `${digits}ABCDEF`,
  hex: `${digits}abcdef`,
  number: digits,
}

/** Whoever guesses an id of another has that one’s stream upwards; Xray asks for no more either. */
const fewestIds = 2 ** 31

export function readIds(input: XhttpFields, context: Context): XhttpConfig['ids'] {
  const { report } = context
  const length = readRange(input, 'sessionIDLength', { from: 0, to: 0 }, context)
  const written = input.sessionIDTable ?? ''
  const table = Object.hasOwn(tables, written) ? tables[written]! : written
  if (table === '') return { table, length }
  if (!/^[\w.~-]+$/.test(table)) {
    const place = report.at(input, 'sessionIDTable')
    report.error(
      'CFG022',
      place,
      '"sessionIDTable" has a letter that a path cannot have',
      'use letters, digits, -, ., _ and ~',
    )
  } else if (length.from <= 0 || new Set(table).size ** length.from < fewestIds) {
    const message = `with "sessionIDTable" of ${table.length} letters and "sessionIDLength" ${length.from} there are too few ids`
    report.error(
      'CFG023',
      report.at(input, 'sessionIDLength'),
      message,
      'write a greater sessionIDLength, such as "16"',
    )
  }
  return { table, length }
}

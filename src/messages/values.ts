import { formatHost, hostFromIP } from '../core/address.ts'
import type { Fields } from './fields.ts'
import { invalid } from './status.ts'

/** The parts of a JSON object that say something: protobuf's defaults mean "not written". */
export const given = (object: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)))

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/** Text of an IPOrDomain; `''` when there is none. */
export function hostOf(fields: Fields | undefined): string {
  const ip = fields?.bytes('ip')
  if (!fields || !ip) return fields?.text('domain') ?? ''
  if (ip.length !== 4 && ip.length !== 16) throw invalid(`${fields.path}.ip has ${ip.length} bytes, not 4 or 16`)
  return formatHost(hostFromIP(ip))
}

/** The word that an enumeration stands for. */
export function wordOf(fields: Fields, name: string, words: readonly string[]): string {
  const number = fields.number(name)
  const word = words[number]
  if (word === undefined) throw invalid(`${fields.path}.${name} is ${number}; expected 0 to ${words.length - 1}`)
  return word
}

/** Names and passwords, in the JSON form. */
export const accountsOf = (fields: Fields): { user: string; pass: string }[] =>
  fields.entries('accounts').map(([user, pass]) => ({ user, pass }))

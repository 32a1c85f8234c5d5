/** Values as V2Ray 5's own format writes them. */
import { asText } from '../plain.ts'

/** A text where there is one. */
export const textOr = (value: string): string | undefined => (value === '' ? undefined : value)

/** A number, also where it was written in quotes. */
export const numberOr = (value: unknown): number | undefined =>
  value === undefined || value === '' || Number.isNaN(Number(value)) ? undefined : Number(value)

/** `{ "value": 300 }`. */
export const wrapped = (value: unknown, name = 'value') => {
  const number = numberOr(value)
  return number === undefined ? undefined : { [name]: number }
}

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }

/** Nanoseconds of a duration such as `1m30s`; a number counts them already. */
export function nanoseconds(value: unknown): number | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'number') return value
  const parts = [...asText(value).matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0))
}

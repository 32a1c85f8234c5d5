import type { Context } from '../../schema/context.ts'
import { type Place, shorten } from '../../schema/report.ts'

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** A duration as Go writes it, such as `10s`, `1m30s` or `300ms`, in ms; a number is nanoseconds. Reported when it is none. */
export function readDuration(
  value: string | number | undefined,
  place: Place,
  absent: number,
  { report }: Context,
): number {
  if (value === undefined || value === '') return absent
  if (typeof value === 'number') return value / 1e6
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length > 0 && parts.map(([part]) => part).join('') === value.trim()) {
    return parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0)
  }
  if (/^0+$/.test(value.trim())) return 0
  const message = `found ${JSON.stringify(shorten(value))}, expected a duration such as "10s" or "1m30s"`
  report.error('CFG038', place, message)
  return absent
}

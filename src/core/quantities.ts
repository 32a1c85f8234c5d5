/** Amounts as people write them: `40 Mbit/s`, `100 GB`, `2026-12-31`. Nothing that can be taken in two ways is read. */

const thousands = ['', 'k', 'm', 'g', 't', 'p']

/**
 * Bytes per second of text such as `5 MB/s`, `40 Mbit/s`, `512 KiB/s`, `64kbps` or bare digits, which are bytes. `/s` may
 * be left out. k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024; `B` is a byte, `b`, `bit` and `bps` are bits.
 * Undefined for anything else.
 */
export function parseSpeed(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp]i?)?(bits?|b)(?:\/s|ps)?)?$/i.exec(text.trim())
  if (!match) return undefined
  const [, digits = '', prefix = '', unit = 'B'] = match
  return whole((Number(digits) * factorOf(prefix)) / (unit === 'B' ? 1 : 8))
}

/**
 * Bytes of text such as `100 GB`, `1.5 TiB` or bare digits. k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024.
 * Undefined for anything else, bits (`100 Gb`) included.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtpKMGTP]i?)?B)?$/.exec(text.trim())
  return match ? whole(Number(match[1]) * factorOf(match[2] ?? '')) : undefined
}

/**
 * Milliseconds since the epoch. A date such as `2026-12-31` means the end of that day, UTC, which is the first moment of
 * the next; a date with a time (`2026-12-31T18:00`, `2026-12-31T18:00:00+02:00`) that very moment, UTC where it names no
 * zone. Undefined for anything else, days that no calendar has included.
 */
export function parseMoment(text: string): number | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?\s?(Z|[+-]\d\d:\d\d)?)?$/i.exec(text.trim()) ?? []
  const [, year, month, day, time, seconds = ':00', zone = 'Z'] = match
  const start = new Date(`${year}-${month}-${day}T00:00:00Z`)
  // The 30th of February becomes a day in March.
  if (Number.isNaN(start.getTime()) || start.getUTCDate() !== Number(day)) return undefined
  if (time === undefined) return start.setUTCDate(start.getUTCDate() + 1)
  const moment = Date.parse(`${year}-${month}-${day}T${time}${seconds}${zone.toUpperCase()}`)
  return Number.isNaN(moment) ? undefined : moment
}

const durationUnits: readonly (readonly [names: RegExp, ms: number])[] = [
  [/^(?:s|sec|seconds?)$/i, 1000],
  [/^(?:min|minutes?)$/i, 60_000],
  [/^(?:h|hours?)$/i, 3_600_000],
  [/^(?:d|days?)$/i, 86_400_000],
  [/^(?:w|weeks?)$/i, 604_800_000],
]

/**
 * Milliseconds of text such as `30 days`, `12 h`, `90 min` or `2 weeks`. Undefined for anything else: a number alone, `m`,
 * which is minutes to some and months to others, and months and years, which are not all of one length.
 */
export function parseDuration(text: string): number | undefined {
  const [, digits, name = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? []
  const unit = durationUnits.find(([names]) => names.test(name))
  return unit && whole(Number(digits) * unit[1])
}

function factorOf(prefix: string): number {
  const [letter = '', binary] = prefix.toLowerCase()
  return (binary ? 1024 : 1000) ** thousands.indexOf(letter)
}

/** Never zero for what is not: zero means no limit. */
function whole(amount: number): number | undefined {
  const rounded = amount > 0 ? Math.max(1, Math.round(amount)) : 0
  return rounded <= Number.MAX_SAFE_INTEGER ? rounded : undefined
}

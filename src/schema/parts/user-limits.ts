/** `limits` of a user on a server: our own field, which V2Ray and Xray pass over. */
import { z } from 'zod'
import { parseDuration, parseMoment, parseSize, parseSpeed } from '../../core/quantities.ts'
import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { Context } from '../context.ts'
import { flag, integer, noted, object } from '../fields.ts'
import { shorten } from '../report.ts'
import { type PanelInput, readPanelLimits } from './panel-limits.ts'

const amount = (description: string, expected: string, examples: string[]) =>
  noted(z.union([z.int().min(0), z.string()]).meta({ description, examples }), { expected })

const expectedSpeed = 'a speed such as "5 MB/s" or "40 Mbit/s", or bytes per second as a number'
const expectedSize = 'a size such as "100 GB" or "50 GiB", or bytes as a number'
const expectedMoment = 'a date such as "2026-12-31" or "2026-12-31T18:00:00Z", or Unix seconds as a number'

const expectedDuration = 'a duration such as "30 days" or "12 h", or seconds as a number'

const speedExamples = ['40 Mbit/s', '5 MB/s']

const limitsFields = object(() => ({
  enabled: flag('False: the user is known and turned away. Default: true.'),
  uplink: amount(
    'Most bytes per second from the client, over all connections. 0: no limit.',
    expectedSpeed,
    speedExamples,
  ),
  downlink: amount(
    'Most bytes per second to the client, over all connections. 0: no limit.',
    expectedSpeed,
    speedExamples,
  ),
  connections: integer(0, 4294967295, 'Most connections at once. 0: no limit.'),
  addresses: integer(0, 4294967295, 'Most client addresses at once; an IPv6 /64 counts as one. 0: no limit.'),
  addressGrace: integer(0, 86400, 'Seconds for which an address too many is borne with. Default: 60.'),
  quota: amount('Bytes in all, both ways, until the user is turned away. 0: no limit.', expectedSize, ['100 GB']),
  expires: amount('Until when the user may connect; a date counts to its end, UTC.', expectedMoment, ['2026-12-31']),
  expiresAfter: amount('How long the user may connect from the first connection on. 0: for ever.', expectedDuration, [
    '30 days',
  ]),
})).describe('What the user may use; kept by e-mail, for all inbounds together.')

export const limitsSchema = noted(limitsFields, { own: true })

export type LimitsInput = z.output<typeof limitsSchema>

const nothing: LimitsInput = {}

/** Limits that were written, or undefined where none are. `owner` is the user's object. */
export function readLimits(
  owner: { readonly limits?: LimitsInput | undefined; readonly email?: string | undefined } & PanelInput,
  context: Context,
): UserLimits | undefined {
  const { report } = context
  const { limits: input = nothing } = owner
  const panel = readPanelLimits(owner, context)
  if (!panel && (input === nothing || Object.keys(input).length === 0)) return undefined
  if (!owner.email && (owner.email === '' || !report.wrote(owner, 'email'))) {
    const message = 'this user has limits but no e-mail, and limits are kept by e-mail'
    report.error('CFG069', report.at(owner, 'limits'), message, 'write "email": "name@example.org"; any name will do')
  }
  return { ...unlimited, ...panel, ...readGivenLimits(input, context) }
}

/** Only those that were written. */
export function readGivenLimits(input: LimitsInput, context: Context): Partial<UserLimits> {
  const { enabled, connections, addresses, addressGrace } = input
  const given: { -readonly [K in keyof UserLimits]?: UserLimits[K] } = {}
  for (const key of ['uplink', 'downlink'] as const) {
    if (input[key] === undefined) continue
    const bytes = read(input, key, parseSpeed, expectedSpeed, speedHint, context)
    given[key] = plausible(bytes, input, key, leastSpeed, context)
  }
  if (enabled !== undefined) given.enabled = enabled
  if (connections !== undefined) given.connections = connections
  if (addresses !== undefined) given.addresses = addresses
  if (addressGrace !== undefined) given.addressGraceS = addressGrace
  if (input.quota !== undefined) {
    const bytes = read(input, 'quota', parseSize, expectedSize, sizeHint, context)
    given.quota = plausible(bytes, input, 'quota', leastQuota, context)
  }
  if (input.expires !== undefined) given.expiresAt = readExpiry(input, context)
  if (input.expiresAfter !== undefined) given.expiresAfterMs = readDuration(input, context)
  return given
}

function read(
  input: LimitsInput,
  key: 'uplink' | 'downlink' | 'quota' | 'expires' | 'expiresAfter',
  parse: (text: string) => number | undefined,
  expected: string,
  hintFor: (text: string) => string | undefined,
  { report }: Context,
): number {
  const written = input[key]
  if (typeof written !== 'string') return written ?? 0
  const value = parse(written)
  if (value !== undefined) return value
  const message = `found ${JSON.stringify(shorten(written))}, expected ${expected}`
  report.error('CFG038', report.at(input, key), message, hintFor(written.trim()))
  return 0
}

/** Below these a user has next to nothing: the unit was forgotten, or another one is meant. */
const leastSpeed = { bytes: 1000, text: '1 KB/s', per: ' per second', units: ['Mbit/s', 'MB/s'], usual: '40' }
const leastQuota = { bytes: 1_000_000, text: '1 MB', per: '', units: ['GB'], usual: '100' }

/** The same amount, after a warning where it can hardly be meant. */
function plausible(
  bytes: number,
  input: LimitsInput,
  key: 'uplink' | 'downlink' | 'quota',
  least: typeof leastSpeed,
  { report }: Context,
): number {
  if (bytes === 0 || bytes >= least.bytes) return bytes
  const [digits = ''] = /^\d+(?:\.\d+)?/.exec(String(input[key]).trim()) ?? []
  const number = digits.length <= 4 ? digits : least.usual
  const message = `this is ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}${least.per}, less than ${least.text}`
  const hint = `write ${least.units.map((unit) => `"${number} ${unit}"`).join(' or ')}`
  report.warn('CFG073', report.at(input, key), message, hint)
  return bytes
}

/** The largest second that a Date can hold: whoever writes more has milliseconds in mind. */
const secondsMax = 100_000_000_000

function readExpiry(input: LimitsInput, context: Context): number {
  const { report, now } = context
  const expiresAt = readMoment(input, context)
  if (expiresAt > 0 && now !== undefined && expiresAt <= now) {
    const message = `this user expired at ${new Date(expiresAt).toISOString()} and is turned away`
    report.warn('CFG071', report.at(input, 'expires'), message)
  }
  return expiresAt
}

/** Days before 1970 are over as well, and must not come to 0, which stands for never. */
const parseExpiry = (text: string): number | undefined => {
  const ms = parseMoment(text)
  return ms === undefined ? undefined : Math.max(1, ms)
}

function readMoment(input: LimitsInput, context: Context): number {
  const { report } = context
  const { expires } = input
  if (typeof expires !== 'number') return read(input, 'expires', parseExpiry, expectedMoment, momentHint, context)
  if (expires < secondsMax) return expires * 1000
  const seconds = Math.floor(expires / 1000)
  const hint = seconds < secondsMax ? `these look like milliseconds: write ${seconds}` : undefined
  report.error('CFG023', report.at(input, 'expires'), `found ${expires}, expected ${expectedMoment}`, hint)
  return 0
}

/** A hundred years in seconds: whoever writes more has milliseconds in mind. */
const durationMaxS = 3_155_760_000

function readDuration(input: LimitsInput, context: Context): number {
  const { report } = context
  const { expiresAfter } = input
  const ms =
    typeof expiresAfter === 'number'
      ? expiresAfter * 1000
      : read(input, 'expiresAfter', parseDuration, expectedDuration, durationHint, context)
  const place = report.at(input, 'expiresAfter')
  if (ms > durationMaxS * 1000) {
    const hint =
      typeof expiresAfter === 'number' ? 'a number counts seconds: write "30 days"' : 'leave it out for no end'
    report.error('CFG023', place, `found ${expiresAfter}, expected at most a hundred years`, hint)
    return 0
  }
  if (ms > 0 && ms < 60_000) {
    const message = `this is ${ms / 1000} s, less than a minute`
    report.warn('CFG073', place, message, `write "${typeof expiresAfter === 'number' ? expiresAfter : 30} days"`)
  }
  return ms
}

const durationHint = (text: string): string | undefined => {
  const [, digits, unit = ''] = /^(\d{1,9})\s*([a-z]*)$/i.exec(text) ?? []
  if (!digits) return undefined
  if (/^(?:m|mo|months?)$/i.test(unit)) return `write "${Number(digits) * 30} days", or "${digits} min" for minutes`
  return /^y/i.test(unit) ? `write "${Number(digits) * 365} days"` : `write "${digits} days"`
}

function speedHint(text: string): string | undefined {
  const [, digits, prefix = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt])$/i.exec(text) ?? []
  const unit = `${digits} ${prefix.toUpperCase()}`
  return digits && `bytes or bits? write "${unit}B/s" or "${unit}bit/s"`
}

function sizeHint(text: string): string | undefined {
  const [, digits, prefix = '', bits] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]i?)(b|bits?)?$/i.exec(text) ?? []
  const meant = `write "${digits} ${prefix.charAt(0).toUpperCase()}${prefix.slice(1).toLowerCase()}B"`
  return digits && (bits ? `"${bits}" stands for bits: ${meant}` : meant)
}

const momentHint = (text: string): string | undefined =>
  /^\d{9,11}$/.test(text) ? `write ${text} without the quotes` : undefined

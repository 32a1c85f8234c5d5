/** Limits of one user in several inbounds, and with what else the file says. */
import { sameLimits, type UserLimits } from '../../core/user-limits.ts'
import type { InboundConfig } from '../../settings/model.ts'
import type { Context } from '../context.ts'
import { type Place, type Report, shorten } from '../report.ts'
import type { PanelInput } from './panel-limits.ts'

interface VmessInput {
  readonly clients?: readonly Written[]
  readonly users?: readonly Written[]
}

/** A user as it was decoded. */
type Written = string | WrittenObject
type WrittenObject = PanelInput & { readonly email?: string; readonly limits?: { readonly expiresAfter?: unknown } }

interface Inbound {
  readonly settings?: object
  readonly config?: InboundConfig
}

interface Limited {
  readonly email: string
  readonly limits: UserLimits
  readonly entry: WrittenObject
}

/** Users that have limits. */
function* limitedUsers(inbounds: readonly Inbound[]): Iterable<Limited> {
  for (const { config, settings } of inbounds) {
    if (config?.protocol !== 'vmess' || !settings || !config.settings.users.some(({ limits }) => limits)) continue
    const { clients, users = [] } = settings as VmessInput
    const entries = (clients ?? users).filter((entry) => typeof entry === 'object')
    const written = new Map(entries.map((entry) => [keyOf(entry), entry]))
    for (const user of config.settings.users) {
      const entry = written.get(keyOf(user))
      if (user.limits && entry) yield { email: user.email, limits: user.limits, entry }
    }
  }
}

/** Says which users have other limits in one inbound than in another. */
export function checkSharedLimits(inbounds: readonly Inbound[], { report }: Context): void {
  const seen = new Map<string, { readonly limits: UserLimits; readonly place: Place }>()
  for (const { email, limits, entry } of limitedUsers(inbounds)) {
    const place = report.at(entry, 'limits')
    const first = seen.get(keyOf({ email }))
    if (!first) seen.set(keyOf({ email }), { limits, place })
    else if (!sameLimits(first.limits, limits)) {
      const message = `the e-mail "${shorten(email)}" has other limits at ${first.place.path}`
      report.error('CFG070', place, message, 'limits hold for all inbounds together: write them in one place')
    }
  }
}

/** Says once, at the first of them, that without a store every start of the program counts as a first use. */
export function checkFirstUses(inbounds: readonly Inbound[], hasStore: boolean, { report }: Context): void {
  if (hasStore) return
  for (const { limits, entry } of limitedUsers(inbounds)) {
    if (limits.expiresAfterMs === 0) continue
    const message = 'this counts from the first use, and without "accounting" every restart forgets when that was'
    report.warn('CFG091', placeOf(entry, report), message, 'write "accounting": "usage.db"')
    return
  }
}

const placeOf = (entry: WrittenObject, report: Report): Place =>
  entry.limits?.expiresAfter === undefined ? report.at(entry, 'expiryTime') : report.at(entry.limits, 'expiresAfter')

const keyOf = ({ email = '' }: { readonly email?: string }): string => email.toLowerCase()

/** Limits as 3x-ui writes them into its clients, by its own names. V2Ray and Xray pass over them; the panel enforces them. */
import type { z } from 'zod'
import { sameLimits, type UserLimits, unlimited } from '../../core/user-limits.ts'
import type { Context } from '../context.ts'
import { flag, integer, object, subtree } from '../fields.ts'

const whole = (min: number, description: string) => integer(min, Number.MAX_SAFE_INTEGER, description)

export const panelFields = () => ({
  limitIp: whole(0, '3x-ui’s addresses of limits. 0: no limit.'),
  totalGB: whole(0, '3x-ui’s quota of limits: bytes, in spite of its name. 0: no limit.'),
  expiryTime: whole(
    Number.MIN_SAFE_INTEGER,
    '3x-ui’s expires of limits, in milliseconds; below 0: its expiresAfter. 0: never.',
  ),
  enable: flag('3x-ui’s enabled of limits.'),
  reset: whole(0, 'Days after which 3x-ui renews a client. Not applied.'),
})

/** What the panel keeps for itself beside them: nothing for a proxy to do, and nothing to say about it. */
export const panelNotes = () => ({
  tgId: subtree('For 3x-ui alone.'),
  subId: subtree('For 3x-ui alone.'),
  comment: subtree('For 3x-ui alone.'),
  created_at: subtree('For 3x-ui alone.'),
  updated_at: subtree('For 3x-ui alone.'),
})

const panelObject = object(panelFields)
export type PanelInput = z.output<typeof panelObject> & object

const days = (ms: number): string => {
  const count = Math.round((ms / 86_400_000) * 10) / 10
  return count === 1 ? '1 day' : `${count} days`
}

/** The limits among the fields of a user, or undefined where these set none. */
export function readPanelLimits(owner: PanelInput, { report, now }: Context): UserLimits | undefined {
  const { limitIp = 0, totalGB = 0, expiryTime = 0, enable = true, reset = 0 } = owner
  if (limitIp === 0 && totalGB === 0 && expiryTime === 0 && enable && reset === 0) return undefined
  if (expiryTime > 0 && now !== undefined && expiryTime <= now) {
    const message = `this user expired at ${new Date(expiryTime).toISOString()} and is turned away`
    report.warn('CFG071', report.at(owner, 'expiryTime'), message)
  }
  if (reset > 0) {
    const message = `"reset" has no effect: used traffic is not set to zero every ${days(reset * 86_400_000)}`
    const hint =
      'call POST /v1/users/{email}/reset-usage of "control" on these days, and write the new day as "expires"'
    report.warn('CFG030', report.at(owner, 'reset'), message, hint)
  }
  const limits = {
    ...unlimited,
    enabled: enable,
    addresses: limitIp,
    quota: totalGB,
    expiresAt: Math.max(0, expiryTime),
    expiresAfterMs: Math.max(0, -expiryTime),
  }
  return sameLimits(limits, unlimited) ? undefined : limits
}

import { type UserLimits, unlimited } from '../core/user-limits.ts'

/** Limits as the store keeps them. A limit that is not in the text is not set, so limits can be added without a migration. */
export const formatLimits = (limits: UserLimits): string => JSON.stringify(limits)

/** Undefined for what is no limits, e.g. because someone edited the store. */
export function parseLimits(text: string): UserLimits | undefined {
  const parsed = parseObject(text)
  if (!parsed) return undefined
  const limits: Record<string, unknown> = { ...unlimited }
  for (const [name, usual] of Object.entries(unlimited)) {
    const value = parsed[name]
    if (value === undefined) continue
    if (typeof value !== typeof usual || (typeof value === 'number' && !(value >= 0))) return undefined
    limits[name] = value
  }
  return limits as unknown as UserLimits
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

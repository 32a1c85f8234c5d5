import type { z } from '@hono/zod-openapi'
import { parseMoment, parseSize, parseSpeed } from '../../core/quantities.ts'
import type { UserLimits } from '../../core/user-limits.ts'
import { ApiError } from './errors.ts'
import type { limitsInput } from './requests.ts'

type Written = z.output<typeof limitsInput>

/** Limits as a request writes them; only those that it names. @throws ApiError that names the field */
export function limitsOf(written: Written): Partial<UserLimits> {
  const { enabled, uplink, downlink, connections, addresses, addressGrace, quota, expires } = written
  return {
    ...(enabled !== undefined && { enabled }),
    ...(uplink !== undefined && { uplink: amount('uplink', uplink, parseSpeed) }),
    ...(downlink !== undefined && { downlink: amount('downlink', downlink, parseSpeed) }),
    ...(connections !== undefined && { connections: connections ?? 0 }),
    ...(addresses !== undefined && { addresses: addresses ?? 0 }),
    ...(addressGrace !== undefined && { addressGraceS: addressGrace }),
    ...(quota !== undefined && { quota: amount('quota', quota, parseSize) }),
    ...(expires !== undefined && { expiresAt: expires === null ? 0 : moment(expires) }),
  }
}

function amount(name: string, written: string | number | null, read: (text: string) => number | undefined): number {
  const value = typeof written === 'string' ? read(written) : (written ?? 0)
  return value ?? wrong(name, written, 'an amount')
}

function moment(text: string): number {
  const ms = parseMoment(text) ?? 0
  // Zero would mean never.
  return ms > 0 ? ms : wrong('expires', text, 'a date, or a date with a time')
}

function wrong(name: string, written: unknown, what: string): never {
  const field = `limits.${name}`
  const message = `${field}: ${JSON.stringify(written)} is not ${what}`
  throw new ApiError(400, 'CONTROL_INVALID', message, { field, hint: hints[name] ?? hints.speed })
}

const hints: Readonly<Record<string, string>> = {
  expires: 'for example "2026-12-31", the last day, or "2026-12-31T18:00:00Z"',
  quota: 'for example 100000000000, "100 GB" or "100 GiB"',
  speed: 'for example 5000000, "5 MB/s" or "40 Mbit/s"',
}

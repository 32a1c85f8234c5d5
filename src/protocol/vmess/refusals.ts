/** Why a server turns a client away, in words for its log. Users appear by e-mail or by the beginning of their id. */
import { redactId } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { foreignDetail, recognise } from './foreign.ts'
import type { RequestHeader } from './header/request.ts'
import type { Match, VmessIdentity } from './users/directory.ts'
import { formatUuid } from './users/identity.ts'

/** How a user is called in messages: never by the whole id. */
const nameOf = (user: VmessIdentity): string => user.email || redactId(formatUuid(user.id))

/** For bytes that are another protocol's. */
export function foreign(bytes: Uint8Array): ProxyError | undefined {
  const kind = recognise(bytes)
  if (kind === undefined) return undefined
  const detail = foreignDetail(kind, bytes)
  return new ProxyError('VMESS_FOREIGN_PROTOCOL', `these bytes are ${kind}${detail && ` (${detail})`}, not VMess`)
}

/** @throws ProxyError VMESS_CLOCK_SKEW when the client's clock is off by more than is permitted */
export function checkClock({ user, timeS }: Match, nowS: number): void {
  const ahead = timeS - nowS
  if (Math.abs(ahead) <= limits.clockSkewS) return
  const direction = ahead > 0 ? 'ahead' : 'behind'
  throw new ProxyError(
    'VMESS_CLOCK_SKEW',
    `client clock is ${Math.abs(ahead)} s ${direction}, limit ${limits.clockSkewS} s (user ${nameOf(user)})`,
    { hint: 'set the clock of the client or of this machine; time zones do not matter' },
  )
}

/** @throws ProxyError VMESS_INSECURE_REFUSED */
export function checkSecurity({ user }: Match, { security }: RequestHeader): void {
  if (security !== 'none' && security !== 'aes-128-cfb') return
  throw new ProxyError(
    'VMESS_INSECURE_REFUSED',
    `Insecure encryption: ${security === 'none' ? 'none or zero' : security}`,
    { hint: `disableInsecureEncryption forbids it: user ${nameOf(user)} should choose auto` },
  )
}

export const replayed = ({ user }: Match, what: string): ProxyError =>
  new ProxyError('VMESS_REPLAY', `this ${what} of user ${nameOf(user)} was seen before: a replay`)

export const unopened = ({ user }: Match): ProxyError =>
  new ProxyError(
    'VMESS_HEADER_AUTH_FAILED',
    `the request begins like one of user ${nameOf(user)} but its header does not open`,
  )

export const unknownUser = (): ProxyError =>
  new ProxyError(
    'VMESS_UNKNOWN_USER',
    'no user’s id opens the request: unknown user, or clock skew of a client with alterId',
    {
      hint: 'compare the id with the client’s; with alterId above 0 a clock that is more than 120 s off looks the same',
    },
  )

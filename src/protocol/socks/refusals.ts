/** What a SOCKS proxy says when it does not do what it was asked for. */
import { type ErrorCode, ProxyError } from '../../core/errors.ts'

/** RFC 1928, section 6: what a code means, and which of our errors it is; UPSTREAM_REFUSED where that is not named. */
const meanings: Readonly<Record<number, readonly [text: string, code?: ErrorCode]>> = {
  1: ['general failure'],
  2: ['its rules do not allow it'],
  3: ['the network cannot be reached', 'DIAL_UNREACHABLE'],
  4: ['the host cannot be reached', 'DIAL_UNREACHABLE'],
  5: ['the target refused the connection', 'DIAL_REFUSED'],
  6: ['the time to live has expired', 'DIAL_TIMEOUT'],
  7: ['it does not know the command'],
  8: ['it does not know this kind of address'],
}

/** @param what goes on behind "refused" */
export function refusal5(code: number, what: string): ProxyError {
  const [text, error = 'UPSTREAM_REFUSED'] = meanings[code] ?? ['a code that nobody has defined']
  return new ProxyError(error, `refused ${what}: ${text} (${code})`)
}

export const granted4 = 0x5a

export function refusal4(code: number, what: string): ProxyError {
  if (code === 0x5c || code === 0x5d) {
    const text = code === 0x5c ? 'it cannot ask identd who you are' : 'identd names another user'
    return new ProxyError('UPSTREAM_UNAUTHORIZED', `refused ${what}: ${text} (${code})`)
  }
  return new ProxyError('UPSTREAM_REFUSED', `refused ${what} (${code})`)
}

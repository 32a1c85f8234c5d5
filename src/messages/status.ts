import { type ErrorCode, isProxyError } from '../core/errors.ts'

/** Status codes of gRPC that are answered here. Their numbers are written out so that this needs no gRPC library. */
export const statusCodes = {
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const

/** What a call is answered with when it fails. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: number

  constructor(code: keyof typeof statusCodes, details: string) {
    super(details)
    this.code = statusCodes[code]
  }
}

export const invalid = (details: string): StatusError => new StatusError('INVALID_ARGUMENT', details)

export const unavailable = (what: string): StatusError =>
  new StatusError('UNIMPLEMENTED', `${what} is not available in this program`)

const byCode: { readonly [C in ErrorCode]?: keyof typeof statusCodes } = {
  CONFIG_INVALID: 'INVALID_ARGUMENT',
  CONTROL_CONFLICT: 'ALREADY_EXISTS',
  CONTROL_INVALID: 'INVALID_ARGUMENT',
  CONTROL_NOT_FOUND: 'NOT_FOUND',
  LISTEN_FAILED: 'FAILED_PRECONDITION',
  LOG_FAILED: 'FAILED_PRECONDITION',
  SHUTTING_DOWN: 'FAILED_PRECONDITION',
  USER_INVALID_ID: 'INVALID_ARGUMENT',
}

/** The answer to a failure; undefined for what is a mistake in this program. */
export function statusOf(error: unknown): { code: number; details: string } | undefined {
  if (error instanceof StatusError) return { code: error.code, details: error.message }
  if (!isProxyError(error)) return undefined
  const { code, message, hint } = error
  return {
    code: statusCodes[byCode[code] ?? 'INTERNAL'],
    details: hint === undefined ? message : `${message} (${hint})`,
  }
}

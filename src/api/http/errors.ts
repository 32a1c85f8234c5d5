import type { ProxyError } from '../../core/errors.ts'
import { isProxyError } from '../../core/errors.ts'

export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint?: string
    /** The field of the request that it is about. */
    readonly field?: string
    /** Of a configuration: each with file, line and column. */
    readonly problems?: string[]
  }
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503

/** Codes that only this API has, beside those of ProxyError. docs/control-api.md lists them. */
export type ApiCode =
  | 'BODY_TOO_LARGE'
  | 'HOST_REFUSED'
  | 'INTERNAL'
  | 'METHOD_NOT_ALLOWED'
  | 'ROUTE_UNKNOWN'
  | 'TOKEN_REQUIRED'
  | 'TOO_MANY_ATTEMPTS'
  | 'TOO_MANY_STREAMS'

/** What the API itself has to say about a request. */
export class ApiError extends Error {
  readonly status: ErrorStatus
  readonly code: ApiCode | ProxyError['code']
  readonly hint: string | undefined
  readonly field: string | undefined

  constructor(
    status: ErrorStatus,
    code: ApiError['code'],
    message: string,
    about: { hint?: string | undefined; field?: string } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.hint = about.hint
    this.field = about.field
  }
}

const statuses: Partial<Record<ProxyError['code'], ErrorStatus>> = {
  CONTROL_CONFLICT: 409,
  CONTROL_INVALID: 400,
  CONTROL_NOT_FOUND: 404,
  LISTEN_FAILED: 409,
  SHUTTING_DOWN: 503,
  USER_INVALID_ID: 400,
}

/** Status and body for what a handler threw; undefined for what nobody foresaw. */
export function errorAnswer(error: unknown): { status: ErrorStatus; body: ErrorBody } | undefined {
  if (error instanceof ApiError) {
    const { status, code, message, hint, field } = error
    return { status, body: { error: { code, message, ...(hint && { hint }), ...(field && { field }) } } }
  }
  if (!isProxyError(error)) return undefined
  const { code, message, hint, field } = error
  const status = statuses[code] ?? (code.startsWith('CONFIG_') ? 422 : 500)
  return {
    status,
    body: { error: { code, message, ...(hint && { hint }), ...(field && { field }), ...problemsOf(error) } },
  }
}

/** A ConfigError lists what is wrong; config itself is none of our imports. */
function problemsOf(error: ProxyError): { problems?: string[] } {
  if (!('problems' in error) || !Array.isArray(error.problems)) return {}
  return { problems: error.problems.map((problem: { message?: unknown }) => String(problem?.message ?? problem)) }
}

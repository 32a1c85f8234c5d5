/**
 * The proxy's own answers: V2Ray's statuses and headers where V2Ray has them, and a line of text for people, which says
 * why and nothing about this machine. Each but `ESTABLISHED` and a kept challenge ends the connection.
 */

import type { ErrorCode, ProxyError } from '../../core/errors.ts'
import { BadRequest, type RequestStatus } from './problems.ts'
import { bytesOf } from './text.ts'

export const ESTABLISHED = bytesOf('HTTP/1.1 200 Connection established\r\n\r\n')

export interface Refusal {
  readonly status: RequestStatus | 403 | 502 | 503 | 504
  /** One line of ASCII. */
  readonly reason: string
}

const STATUSES = {
  400: 'Bad Request',
  403: 'Forbidden',
  407: 'Proxy Authentication Required',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
} as const

const CLOSED = 'Connection: close\r\nProxy-Connection: close\r\n'
const KEPT = 'Connection: keep-alive\r\nProxy-Connection: keep-alive\r\n'

/** A refusal as the answer to a request with this method, if one is known. */
export const refusal = ({ status, reason }: Refusal, method?: string): Uint8Array =>
  bytesOf(`HTTP/1.1 ${status} ${STATUSES[status]}\r\n${CLOSED}${textBody(reason, method)}`)

/**
 * Asks for a password. After `keep` the next try comes on the same connection. CONNECT gets no body: nobody would see it,
 * and clients are known that wait for the end of the connection then.
 */
export function challenge(method: string, keep: boolean): Uint8Array {
  const body =
    method === 'CONNECT' ? 'Content-Length: 0\r\n\r\n' : textBody('this proxy asks for a user and a password', method)
  return bytesOf(
    `HTTP/1.1 407 ${STATUSES[407]}\r\nProxy-Authenticate: Basic realm="proxy"\r\n${keep ? KEPT : CLOSED}${body}`,
  )
}

/** Header lines of the body, the empty line, and the body unless the method has none. */
function textBody(reason: string, method: string | undefined): string {
  const text = `${reason}\n`
  const head = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\n\r\n`
  return method === 'HEAD' ? head : head + text
}

/** What a client is told about its own request. */
export const refusalOf = (error: ProxyError): Refusal =>
  error instanceof BadRequest
    ? { status: error.status, reason: error.message }
    : { status: 400, reason: 'the request broke off before its end' }

/**
 * What a client is told when the target did not answer. A plain request gets V2Ray's 503, which it also has for every
 * other failure of the upstream; CONNECT, where V2Ray says nothing, gets the gateway's codes.
 */
export function failureOf(error: ProxyError, method: string): Refusal {
  if (error.code === 'HTTP_BAD_RESPONSE') return { status: 503, reason: error.message }
  const reason = REASONS[error.code] ?? 'the server could not be reached, or left before it answered'
  if (error.code === 'OUTBOUND_BLOCKED') return { status: 403, reason }
  if (method !== 'CONNECT') return { status: 503, reason }
  return { status: error.code === 'DIAL_TIMEOUT' ? 504 : 502, reason }
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  DIAL_REFUSED: 'the server refused the connection',
  DIAL_TIMEOUT: 'the server could not be reached in time',
  DNS_FAILED: 'the name of the server could not be resolved',
  IDLE_TIMEOUT: 'the server did not answer in time',
  OUTBOUND_BLOCKED: 'this target is not allowed here',
  RESPONSE_MISSING:
    'the server that this proxy goes through did not answer; the log of the proxy lists the likely causes',
}

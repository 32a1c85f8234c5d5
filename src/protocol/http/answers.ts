import type { ProxyError } from '../../core/errors.ts'
import { bytesOf } from './text.ts'

/** The proxy's own answers, byte for byte V2Ray's where V2Ray has them. Each but `established` ends the connection. */
export type Answer = keyof typeof answers

const ended = (status: string): Uint8Array =>
  bytesOf(`HTTP/1.1 ${status}\r\nConnection: close\r\nProxy-Connection: close\r\nContent-Length: 0\r\n\r\n`)

const answers = {
  established: bytesOf('HTTP/1.1 200 Connection established\r\n\r\n'),
  badRequest: ended('400 Bad Request'),
  forbidden: ended('403 Forbidden'),
  /** Without a length, as V2Ray sends it: the end of the connection is the end of the answer. */
  unauthorized: bytesOf(
    'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n\r\n',
  ),
  badGateway: ended('502 Bad Gateway'),
  unavailable: ended('503 Service Unavailable'),
  timeout: ended('504 Gateway Timeout'),
} as const

/** The bytes of an answer; not to be changed. */
export const answer = (name: Answer): Uint8Array => answers[name]

/**
 * What a client is told about a target that could not be connected. A plain request gets V2Ray's 503, which it also has
 * for every other failure of the upstream; CONNECT, where V2Ray says nothing, gets the gateway's codes.
 */
export function answerFor(error: ProxyError, method: string): Answer {
  if (error.code === 'OUTBOUND_BLOCKED') return 'forbidden'
  if (method !== 'CONNECT') return 'unavailable'
  return error.code === 'DIAL_TIMEOUT' ? 'timeout' : 'badGateway'
}

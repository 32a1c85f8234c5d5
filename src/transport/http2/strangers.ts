import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { htmlOf, type NginxStatus, server } from '../upgrade/nginx.ts'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerRequest } from './model.ts'

/** What nginx without pages says over HTTP/2 to a request that got through Node's library. */
export function nginxAnswer(
  { method, path }: Pick<ServerRequest, 'method' | 'path'>,
  nowMs: number,
): { readonly headers: OutgoingHttpHeaders; readonly body: Uint8Array } {
  const html = htmlOf(statusFor(method, path))
  return {
    headers: {
      ':status': statusFor(method, path),
      server,
      date: new Date(nowMs).toUTCString(),
      'content-type': 'text/html',
      'content-length': html.length,
    },
    body: new TextEncoder().encode(html),
  }
}

function statusFor(method: string, path: string): NginxStatus {
  if (!/^[A-Z_-]+$/.test(method)) return 400
  if (method === 'TRACE' || method === 'CONNECT') return 405
  return climbsOut(path) ? 400 : 404
}

/** Whether `..` in it leads above the root. */
function climbsOut(path: string): boolean {
  let depth = 0
  for (const segment of path.split(/[?#]/, 1)[0]!.split('/')) {
    if (segment === '..') depth--
    else if (segment !== '' && segment !== '.') depth++
    if (depth < 0) return true
  }
  return false
}

/** Whether nginx closes the connection over the size of these headers. */
export function isTooLarge(headers: IncomingHttpHeaders): boolean {
  let total = 0
  for (const [name, values = ''] of Object.entries(headers)) {
    for (const value of typeof values === 'string' ? [values] : values) {
      const size = name.length + value.length
      if (size > limits.http2FieldMax) return true
      total += size
    }
  }
  return total > limits.http2FieldsMax
}

/** What the log says: all that an operator can compare is in it. */
export function deniedError({ path, authority }: ServerRequest, reason: string): ProxyError {
  const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return new ProxyError(
    'UPGRADE_REJECTED',
    `a request for ${shown(path)} (Host: ${shown(authority)}) over HTTP/2 is not served: ${reason}`,
  )
}

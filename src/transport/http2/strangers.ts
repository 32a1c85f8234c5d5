import { ProxyError } from '../../core/errors.ts'
import { htmlOf, type NginxStatus, server } from '../upgrade/nginx.ts'
import type { OutgoingHttpHeaders, ServerRequest } from './model.ts'

/** What nginx without pages says over HTTP/2 to a request that is well formed. */
export function nginxAnswer(
  { method }: Pick<ServerRequest, 'method'>,
  nowMs: number,
): { readonly headers: OutgoingHttpHeaders; readonly body: Uint8Array } {
  const status: NginxStatus = method === 'TRACE' || method === 'CONNECT' ? 405 : 404
  const html = htmlOf(status)
  return {
    headers: {
      ':status': status,
      server,
      date: new Date(nowMs).toUTCString(),
      'content-type': 'text/html',
      'content-length': html.length,
    },
    body: new TextEncoder().encode(html),
  }
}

/** What the log says: all that an operator can compare is in it. */
export function deniedError({ path, authority }: ServerRequest, reason: string): ProxyError {
  const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return new ProxyError(
    'UPGRADE_REJECTED',
    `a request for ${shown(path)} (Host: ${shown(authority)}) over HTTP/2 is not served: ${reason}`,
  )
}

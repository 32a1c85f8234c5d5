import { parseAddress } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { SiteAnswer, SiteRequest } from '../../core/website.ts'
import { hostOf } from '../upgrade/target.ts'
import { badRequest, serverName } from '../website/pages.ts'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerRequest } from './model.ts'

/** A request as the web site sees it. */
export function siteRequest(request: ServerRequest, secure: boolean): SiteRequest {
  const { method, path, authority, headers, info } = request
  const local = parseAddress(info.local)
  const host = hostOf(authority) || (local?.host ?? 'localhost')
  const usual = !local || local.path !== undefined || local.port === (secure ? 443 : 80)
  const named = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') || name === 'host' || value === undefined
      ? []
      : [value].flat().map((one) => [name, one] as const),
  )
  return {
    method,
    target: path,
    origin: `http${secure ? 's' : ''}://${host}${usual ? '' : `:${local.port}`}`,
    values: (name) => [headers[name.toLowerCase()] ?? []].flat(),
    headers: [['host', authority], ...named],
    ...(method !== 'GET' && method !== 'HEAD' && { body: request.conn }),
  }
}

/** The head of an answer of the web site. */
export function answerHeaders({ status, headers }: SiteAnswer, nowMs: number): OutgoingHttpHeaders {
  const head: Record<string, string | number | string[]> = {
    ':status': status,
    server: serverName,
    date: new Date(nowMs).toUTCString(),
  }
  const given = new Map<string, string[]>()
  for (const [name, value] of headers) given.set(name.toLowerCase(), [...(given.get(name.toLowerCase()) ?? []), value])
  for (const [name, values] of given) head[name] = values.length === 1 ? values[0]! : values
  return head
}

/** What nginx says to a request that HTTP/2 permits and nginx does not. */
export const refusalOf = ({ method }: ServerRequest): SiteAnswer | undefined =>
  /^[A-Z_-]+$/.test(method) ? undefined : badRequest()

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

import { ProxyError } from '../../core/errors.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { valuesOf } from '../../protocol/http/headers.ts'

/** What the log says: it is the most frequent mistake of operators, so all that they can compare is in it. */
export function rejected(head: RequestHead, reason: string): ProxyError {
  const host = valuesOf(head.headers, 'Host')[0] ?? ''
  const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return new ProxyError(
    'UPGRADE_REJECTED',
    `a request for ${shown(head.target)} (Host: ${shown(host)}) is not served: ${reason}`,
  )
}

/** What happens around a 407 so that the client's next try can come on the same connection. */

import { limits } from '../../core/limits.ts'
import { BodyRelay } from '../../protocol/http/body.ts'
import { wantsKeepAlive } from '../../protocol/http/forward.ts'
import { type Framing, requestFraming } from '../../protocol/http/framing.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { valuesOf } from '../../protocol/http/headers.ts'
import type { Source } from './source.ts'

/**
 * The body to drop before the next request can be read, or undefined if the connection has to close: the client wants so,
 * the body is long or of unknown length, or it is uncertain what the next bytes are. That is so after `Expect` (the body
 * may come or not) and when bytes came along with CONNECT, which are meant for the target. Throws HTTP_BAD_REQUEST.
 */
export function bodyToDrop(head: RequestHead, source: Source): Framing | undefined {
  const framing: Framing = head.method === 'CONNECT' ? { kind: 'none' } : requestFraming(head)
  if (!wantsKeepAlive(head) || framing.kind === 'chunked') return undefined
  if (framing.kind === 'length' && framing.length > limits.httpDroppedBodyMax) return undefined
  if (valuesOf(head.headers, 'Expect').length > 0) return undefined
  return head.method === 'CONNECT' && source.readAhead ? undefined : framing
}

/** Reads a body to its end; false if the client left inside it. */
export async function dropBody(framing: Framing, source: Source): Promise<boolean> {
  const body = new BodyRelay('request', framing)
  while (!body.done) {
    const bytes = await source.take()
    if (!bytes) return false
    source.putBack(bytes.subarray(body.push(bytes).used))
  }
  return true
}

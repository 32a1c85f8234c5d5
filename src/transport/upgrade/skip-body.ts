import type { Conn } from '../../core/conn.ts'
import { BodyRelay } from '../../protocol/http/body.ts'
import { requestFraming } from '../../protocol/http/framing.ts'
import type { RequestHead } from '../../protocol/http/head.ts'

/**
 * Reads the body of a request and drops it; gives what came behind it. `rest`: what came behind the head. Undefined where the
 * connection ends first; throws HTTP_BAD_REQUEST where its end cannot be told.
 */
export async function skipBody(conn: Conn, head: RequestHead, rest: Uint8Array): Promise<Uint8Array | undefined> {
  const body = new BodyRelay('request', requestFraming(head), { plain: true })
  for (let bytes: Uint8Array | null = rest; bytes; bytes = await conn.read()) {
    const { used } = body.push(bytes)
    if (body.done) return bytes.subarray(used)
  }
  return undefined
}

import type { Conn } from '../../core/conn.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { valuesOf } from '../../protocol/http/headers.ts'

/**
 * Reads the body of a request and drops it; gives what came behind it. `rest`: what came behind the head. Undefined where its
 * end is not known or the connection ends first.
 */
export async function skipBody(conn: Conn, head: RequestHead, rest: Uint8Array): Promise<Uint8Array | undefined> {
  const length = bodyLength(head)
  if (length === undefined) return undefined
  let left = length
  for (let bytes: Uint8Array | null = rest; bytes; bytes = await conn.read()) {
    if (bytes.length >= left) return bytes.subarray(left)
    left -= bytes.length
  }
  return undefined
}

function bodyLength(head: RequestHead): number | undefined {
  if (valuesOf(head.headers, 'Transfer-Encoding').length > 0) return undefined
  const [length = '0', ...others] = valuesOf(head.headers, 'Content-Length')
  return others.length === 0 && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

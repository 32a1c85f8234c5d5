import type { Conn } from '../../core/conn.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { StreamConn } from '../../net/streams/stream-conn.ts'

/** What every client of HTTP/2 says first (RFC 9113, 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export interface Sniffed {
  readonly http2: boolean
  /** What was read to find out. Owned. */
  readonly first: Uint8Array
  /** The connection with it put back. */
  whole(): Conn
}

/**
 * Whether a client speaks HTTP/2: what it has agreed to in TLS, else what it says first. Null: it ended before it was known.
 * Rejects when the connection breaks.
 */
export async function sniffHttp2(conn: Conn): Promise<Sniffed | null> {
  const agreed = alpnOf(conn)
  if (agreed === 'h2') return sniffed(conn, true, new Uint8Array(0))
  let first = new Uint8Array(0)
  while (first.length < preface.length) {
    const bytes = await conn.read()
    if (!bytes) return first.length > 0 ? sniffed(conn, false, first) : null
    first = first.length === 0 ? new Uint8Array(bytes) : new Uint8Array(Buffer.concat([first, bytes]))
    const length = Math.min(first.length, preface.length)
    if (preface.compare(first, 0, length, 0, length) !== 0) return sniffed(conn, false, first)
  }
  return sniffed(conn, true, first)
}

const sniffed = (conn: Conn, http2: boolean, first: Uint8Array): Sniffed => ({
  http2,
  first,
  whole: () => prefixed(conn, first),
})

export function alpnOf(conn: Conn): string | undefined {
  const { alpnProtocol } = (conn instanceof StreamConn ? conn.stream : {}) as { alpnProtocol?: string | false | null }
  return alpnProtocol || undefined
}

import type { Conn } from '../conn.ts'
import { prefixed } from './prefixed.ts'

/**
 * The connection with bytes in front that somebody has read to see what they are: the same one where it can take them back,
 * so that nothing lies between it and its reader. Takes ownership of `bytes`.
 */
export function putBack(conn: Conn, bytes: Uint8Array): Conn {
  if (bytes.length === 0) return conn
  if (!conn.takeBack) return prefixed(conn, bytes)
  conn.takeBack(bytes)
  return conn
}

import type { Conn } from '../../core/conn.ts'
import type { HeadCollector } from '../../protocol/http/head-collector.ts'

export interface ReadHead {
  /** The whole head with its empty line. */
  readonly head: Uint8Array
  /** What came behind it. */
  readonly rest: Uint8Array
}

/**
 * Reads one head from `conn`, of which `first` was read before, until it is whole, or `isOver` says that nothing can become of it. Null: it ended before, or inside. Throws HTTP_BAD_REQUEST or
 * HTTP_BAD_RESPONSE, also above `max` bytes; rejects if the connection breaks.
 */
export async function readHead(
  conn: Pick<Conn, 'read'>,
  collector: HeadCollector,
  first: Uint8Array = new Uint8Array(0),
  isOver: (head: Uint8Array) => boolean = () => false,
): Promise<ReadHead | null> {
  for (let bytes: Uint8Array | null = first; bytes; bytes = await conn.read()) {
    const { used, complete } = collector.push(bytes)
    if (complete || isOver(collector.head)) return { head: collector.head.slice(), rest: bytes.subarray(used) }
  }
  return null
}

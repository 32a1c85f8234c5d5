import type { Conn } from '../conn.ts'
import type { Clock } from '../env.ts'
import { limits } from '../limits.ts'

/**
 * Says `last` and ends the connection so that it arrives: closing a TCP connection while input is unread makes a reset
 * of it, and the peer may lose the answer. So what still comes is read and dropped until the peer ends too, or for
 * `limits.lingerMs` after everything is out. Destroys `conn`; never rejects.
 */
export async function farewell(
  conn: Conn,
  clock: Clock,
  last: Uint8Array = new Uint8Array(0),
  read: () => Promise<Uint8Array | null> = () => conn.read(),
): Promise<void> {
  let cancel = clock.after(limits.flushMs, () => conn.destroy())
  try {
    await conn.write(last)
    await conn.closeWrite()
    cancel()
    cancel = clock.after(limits.lingerMs, () => conn.destroy())
    while ((await read()) !== null);
  } catch {
    // The peer was faster; there is nobody left to tell.
  } finally {
    cancel()
    conn.destroy()
  }
}

import type { Http2Session } from 'node:http2'
import type { Duplex } from 'node:stream'

/**
 * Keeps the native part of a session for as long as its carrier is open. Node lets go of it when the session is closed, though
 * the socket still reads. Collected between giving a buffer for a read and the read itself, it would leave the bytes to whoever
 * read before; and where that reads into a buffer of its own, as our sockets do, an assertion of Node ends the process.
 */
export function holdHandle(session: Http2Session, carrier: Duplex): void {
  const slot = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle')
  const handle: unknown = slot && Reflect.get(session, slot)
  if (handle) carrier.once('close', () => void handle)
}

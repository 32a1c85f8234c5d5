import type { Conn, ConnInfo, Sink } from '../conn.ts'
import { WrappedConn } from './wrapped.ts'

/** A Conn that says something else of itself. */
export const toldAs = (conn: Conn, info: ConnInfo): Conn => new ToldConn(conn, info)

class ToldConn extends WrappedConn {
  readonly #info: ConnInfo

  constructor(base: Conn, info: ConnInfo) {
    super(base)
    this.#info = info
  }

  override get info(): ConnInfo {
    return this.#info
  }

  read(): Promise<Uint8Array | null> {
    return this.base.read()
  }

  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo(sink)
  }
}

import type { Conn, Sink } from '../conn.ts'
import { lend } from './lend.ts'
import { WrappedConn } from './wrapped.ts'

/** A Conn with bytes put back in front: what a handshake read too far. Takes ownership of `head`. */
export function prefixed(conn: Conn, head: Uint8Array): Conn {
  return head.length === 0 ? conn : new PrefixedConn(conn, head)
}

class PrefixedConn extends WrappedConn {
  #head: Uint8Array | undefined

  constructor(base: Conn, head: Uint8Array) {
    super(base)
    this.#head = head
  }

  /** It must not be kept for as long as the connection lasts. */
  #take(): Uint8Array | undefined {
    const head = this.#head
    this.#head = undefined
    return head
  }

  read(): Promise<Uint8Array | null> {
    const head = this.#take()
    return head ? Promise.resolve(head) : this.base.read()
  }

  drainTo(sink: Sink): Promise<void> {
    const head = this.#take()
    const wait = head && lend(head, sink)
    return wait ? wait.then(() => this.base.drainTo(sink)) : this.base.drainTo(sink)
  }
}

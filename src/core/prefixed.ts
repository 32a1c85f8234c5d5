import type { Conn, ConnInfo, Sink } from './conn.ts'

/** A Conn with bytes put back in front: what a handshake read too far. Takes ownership of `head`. */
export function prefixed(conn: Conn, head: Uint8Array): Conn {
  return head.length === 0 ? conn : new PrefixedConn(conn, head)
}

class PrefixedConn implements Conn {
  readonly #base: Conn
  #head: Uint8Array | undefined

  constructor(base: Conn, head: Uint8Array) {
    this.#base = base
    this.#head = head
  }

  get signal(): AbortSignal {
    return this.#base.signal
  }

  get info(): ConnInfo {
    return this.#base.info
  }

  async read(): Promise<Uint8Array | null> {
    const head = this.#head
    this.#head = undefined
    return head ?? this.#base.read()
  }

  async drainTo(sink: Sink): Promise<void> {
    const head = this.#head
    this.#head = undefined
    if (head) await sink(head)
    return this.#base.drainTo(sink)
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    return this.#base.write(bytes, release)
  }

  holdAtMost(bytes: number): void {
    this.#base.holdAtMost(bytes)
  }

  closeWrite(): void | Promise<void> {
    return this.#base.closeWrite()
  }

  destroy(reason?: Error): void {
    this.#base.destroy(reason)
  }
}

import type { Conn } from '../../core/conn.ts'

/**
 * Reads a client's connection for several owners in turn, none of which knows what the one before has read too far. A
 * read that its owner has given up is not lost: whoever asks next gets what it brings.
 */
export class Source {
  readonly #conn: Conn
  #head: Uint8Array | undefined
  #pending: Promise<Uint8Array | null> | undefined

  constructor(conn: Conn) {
    this.#conn = conn
  }

  /** Next bytes, owned by the caller, or null at the orderly end. Callers at the same time get the same bytes. */
  take(): Promise<Uint8Array | null> {
    const head = this.#head
    this.#head = undefined
    if (head) return Promise.resolve(head)
    this.#pending ??= this.#conn.read().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** Puts the end of what was taken back in front. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#head = bytes
  }

  /** Whether bytes were put back and not taken since. */
  get readAhead(): boolean {
    return this.#head !== undefined
  }

  /** What was put back, for the owner that takes over the connection itself. */
  rest(): Uint8Array {
    const head = this.#head ?? new Uint8Array(0)
    this.#head = undefined
    return head
  }
}

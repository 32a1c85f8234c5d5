import type { TLSSocket } from 'node:tls'
import { limits } from '../../core/limits.ts'

/**
 * Sessions that servers let a client take up again, by the name that they were asked for. Only those of servers that were
 * found good are kept, so whoever takes one up again is the same.
 */
export class Sessions {
  /** The one that was used last comes last. */
  readonly #byName = new Map<string, Buffer>()

  /** @param name of the server, with whom the next connection is */
  take(name: string): Buffer | undefined {
    return this.#byName.get(name)
  }

  /** Before the handshake: keeps what the server gives once it is known to be `good`. */
  watch(socket: TLSSocket, name: string, good: () => boolean): void {
    socket.on('session', (session: Buffer) => {
      if (!good()) return
      this.#byName.delete(name)
      this.#byName.set(name, session)
      const [oldest] = this.#byName.keys()
      if (this.#byName.size > limits.tlsSessions && oldest !== undefined) this.#byName.delete(oldest)
    })
  }
}

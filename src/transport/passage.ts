import type { Conn } from '../core/conn.ts'
import type { Passage } from '../core/dialer.ts'
import type { Clock } from '../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../core/errors.ts'

export interface ServingParts {
  /** Makes a connection of what a carrier brings. Undefined: it is not for us, and has been dealt with. */
  serve(carrier: Conn): Promise<Conn | undefined>
  /** Owns the connections that come out, and must not throw. */
  accept(conn: Conn): void
  /** Told of a client that kept us waiting, and of a fault of ours; a carrier that breaks is nobody's. */
  failed(remote: string, error: ProxyError): void
}

/** A passage in which each carrier is served by one promise: it ends with a connection, or the carrier is destroyed. */
export class Serving implements Passage {
  readonly #parts: ServingParts
  readonly #all = new Set<Conn>()

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  get pending(): number {
    return this.#all.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    this.#all.add(carrier)
    void this.#serve(carrier)
  }

  close(): void {
    for (const carrier of this.#all) carrier.destroy()
  }

  async #serve(carrier: Conn): Promise<void> {
    let conn: Conn | undefined
    try {
      conn = await this.#parts.serve(carrier)
    } catch (error) {
      if (worthTelling(error)) this.#parts.failed(carrier.info.remote, toProxyError(error, 'UPGRADE_REJECTED'))
    }
    this.#all.delete(carrier)
    if (conn) this.#parts.accept(conn)
    else carrier.destroy()
  }
}

const worthTelling = (error: unknown): boolean => !isProxyError(error) || error.code === 'HANDSHAKE_TIMEOUT'

/** Destroys the carrier when `work`, which reads `what` from it, takes longer: HANDSHAKE_TIMEOUT. */
export async function within<T>(
  clock: Clock,
  ms: number,
  carrier: Conn,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const { remote } = carrier.info
  const cancel = clock.after(ms, () =>
    carrier.destroy(new ProxyError('HANDSHAKE_TIMEOUT', `no whole ${what} from ${remote} within ${ms / 1000} s`)),
  )
  try {
    return await work()
  } finally {
    cancel()
  }
}

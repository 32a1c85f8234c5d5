import type { Conn } from '../../../core/conn.ts'
import type { Clock } from '../../../core/env.ts'
import { ProxyError } from '../../../core/errors.ts'
import { putBack } from '../../../core/streams/put-back.ts'
import { FirstBytes, type Seen } from './first-bytes.ts'

export interface LookOptions {
  /** A client's time for its first bytes. */
  readonly timeoutMs: number
  /** Told of a client that took longer. */
  readonly refused: (remote: string, error: ProxyError) => void
}

/** Connections whose first bytes are awaited. */
export class Looking {
  readonly #clock: Clock
  readonly #all = new Set<Conn>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#all.size
  }

  /** Owns `conn` until `then` has it, with its first bytes still in front; who never says enough is destroyed. */
  look(conn: Conn, options: LookOptions, then: (conn: Conn, seen: Seen) => void): void {
    if (conn.gone) return
    this.#all.add(conn)
    const cancel = this.#clock.after(options.timeoutMs, () => tooLate(conn, options))
    const done = (): void => {
      cancel()
      this.#all.delete(conn)
    }
    firstOf(conn).then(
      (first) => {
        done()
        if (first) then(first.conn, first.seen)
        else conn.destroy()
      },
      () => {
        done()
        conn.destroy()
      },
    )
  }

  close(): void {
    for (const conn of this.#all) conn.destroy()
  }
}

/** Undefined: it ended before it had said enough. */
async function firstOf(conn: Conn): Promise<{ conn: Conn; seen: Seen } | undefined> {
  const first = new FirstBytes()
  for (let bytes = await conn.read(); bytes; bytes = await conn.read()) {
    const seen = first.push(bytes)
    if (seen) return { conn: putBack(conn, first.bytes), seen }
  }
  return undefined
}

function tooLate(conn: Conn, { timeoutMs, refused }: LookOptions): void {
  const { remote } = conn.info
  const message = `${remote} has not shown which inbound it is for within ${timeoutMs / 1000} s`
  const error = new ProxyError('HANDSHAKE_TIMEOUT', message)
  refused(remote, error)
  conn.destroy(error)
}

import type { Conn, Sink } from '../conn.ts'
import type { Clock } from '../env.ts'
import { prefixed } from './prefixed.ts'
import { WrappedConn } from './wrapped.ts'

/**
 * Looks at the first bytes of a connection until `enough` says so of all that came, or `ms` are over, or it has ended or
 * broken; gives a Conn that begins with them. Nothing is lost, and nothing of it is told: whoever reads on meets the end.
 */
export async function peek(conn: Conn, enough: (seen: Uint8Array) => boolean, ms: number, clock: Clock): Promise<Conn> {
  let late = false
  let wake = (): void => {}
  const cancel = clock.after(ms, () => {
    late = true
    wake()
  })
  let seen: Uint8Array = new Uint8Array(0)
  try {
    while (!late && !enough(seen)) {
      const reading = conn.read()
      const came = await Promise.race([
        reading.catch(() => null),
        new Promise<undefined>((resolve) => {
          wake = () => resolve(undefined)
        }),
      ])
      if (came === undefined) return prefixed(new PendingConn(conn, reading), seen)
      if (came === null) break
      seen = seen.length === 0 ? came : joined(seen, came)
    }
    return prefixed(conn, seen)
  } finally {
    cancel()
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}

/** Somebody gave up a read that is still under way: what it brings comes first. */
class PendingConn extends WrappedConn {
  #reading: Promise<Uint8Array | null> | undefined

  constructor(base: Conn, reading: Promise<Uint8Array | null>) {
    super(base)
    reading.catch(() => {}) // whoever reads on is told
    this.#reading = reading
  }

  read(): Promise<Uint8Array | null> {
    const reading = this.#reading
    this.#reading = undefined
    return reading ?? this.base.read()
  }

  async drainTo(sink: Sink): Promise<void> {
    if (this.#reading) {
      const bytes = await this.read()
      if (bytes === null) return
      await sink(bytes)
    }
    return this.base.drainTo(sink)
  }
}

import type { Conn, Sink } from '../../core/conn.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Cancel, Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import type { BlackholeSettings } from '../../settings/model.ts'

/** Byte for byte what V2Ray 4.34 sends, line feeds without carriage returns and the third one at the end included. */
const FORBIDDEN = `HTTP/1.1 403 Forbidden
Connection: close
Cache-Control: max-age=3600, public
Content-Length: 0


`

const ANSWER_OPEN_MS = 1_000

/**
 * Connects nothing. With `response: 'none'` every dial rejects with OUTBOUND_BLOCKED, so that the inbound can say so in
 * its own protocol; with `'http'` the client gets a 403, and the end after a second, whatever it sends.
 */
export function createBlackhole(tag: string, settings: BlackholeSettings, env: Env): Outbound {
  const blocked = () => new ProxyError('OUTBOUND_BLOCKED', `the outbound "${tag}" blocks every connection`)
  return {
    tag,
    packets: { open: ({ until }) => Promise.reject(until.gone ?? blocked()) },
    async dial(_to, { until }) {
      if (until.gone) throw until.gone
      if (settings.response === 'http') return new ForbiddenConn(env)
      throw blocked()
    },
    async close() {},
  }
}

/** Yields the answer, then the end; what is written to it vanishes. */
class ForbiddenConn implements Conn {
  readonly info = { remote: '', local: '', layers: ['blackhole'], halfClose: 'native' } as const
  readonly #life = new Life()
  readonly #open: Promise<void>
  #close: (reason?: Error) => void = () => {}
  #answered = false

  constructor(env: Env) {
    this.#open = new Promise((resolve, reject) => {
      const cancel = env.clock.after(ANSWER_OPEN_MS, resolve)
      this.#close = (reason) => {
        cancel()
        reject(reason)
      }
    })
    // Nobody may be reading when it is destroyed.
    this.#open.catch(() => {})
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  async read(): Promise<Uint8Array | null> {
    if (this.gone) throw this.gone
    if (!this.#answered) {
      this.#answered = true
      return new TextEncoder().encode(FORBIDDEN)
    }
    await this.#open
    return null
  }

  async drainTo(sink: Sink): Promise<void> {
    for (let bytes = await this.read(); bytes; bytes = await this.read()) await sink(bytes)
  }

  write(_bytes: Uint8Array, release?: () => void): void | Promise<void> {
    release?.()
    if (this.gone) return Promise.reject(this.gone)
  }

  holdAtMost(): void {}

  closeWrite(): void {}

  destroy(reason: Error = new ProxyError('CONN_CLOSED', 'the blackhole’s answer was dropped')): void {
    if (this.gone) return
    this.#close(reason)
    this.#life.end(reason)
  }
}

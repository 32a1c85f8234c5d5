import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'

export interface EarlyConnOptions {
  /** Bytes of the first write that may travel inside the request. */
  readonly maxBytes: number
  readonly clock: Clock
  /** Sends the request with these bytes, which are used up before it returns, and waits for the answer. */
  open(early: Uint8Array): Promise<Conn>
}

/**
 * A connection whose opening request leaves with its first write, and takes as much of it along as fits. What is written until
 * the answer is there waits for it, and so does whoever writes.
 */
export class EarlyConn implements Conn {
  readonly info: ConnInfo
  readonly #carrier: Conn
  readonly #options: EarlyConnOptions
  readonly #opened: Deferred<Conn> = deferred()
  #conn: Conn | undefined
  #started = false
  #closing: Promise<void> | undefined
  /** Writes that wait for the answer, or for those before them. */
  #waiting = 0
  #hold: number | undefined

  constructor(carrier: Conn, options: EarlyConnOptions) {
    this.#carrier = carrier
    this.#options = options
    this.info = new LayeredInfo(carrier.info, 'ws', 'none')
    this.#opened.promise.catch(() => {}) // told to whoever reads or writes
    carrier.onGone((why) => this.#opened.reject(why))
  }

  get gone(): Error | undefined {
    return this.#carrier.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#carrier.onGone(run)
  }

  #start(early: Uint8Array): void {
    if (this.#started) return
    this.#started = true
    const late = new ProxyError('UPGRADE_FAILED', `no answer to the upgrade within ${limits.upgradeMs / 1000} s`)
    const cancel = this.#options.clock.after(limits.upgradeMs, () => this.#carrier.destroy(late))
    this.#options
      .open(early)
      .then(
        (conn) => {
          if (this.#hold !== undefined) conn.holdAtMost(this.#hold)
          this.#conn = conn
          this.#opened.resolve(conn)
        },
        (error: Error) => {
          this.#opened.reject(error)
          this.#carrier.destroy(error)
        },
      )
      .finally(cancel)
  }

  async read(): Promise<Uint8Array | null> {
    return (this.#conn ?? (await this.#opened.promise)).read()
  }

  async drainTo(sink: Sink): Promise<void> {
    return (this.#conn ?? (await this.#opened.promise)).drainTo(sink)
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#conn && this.#waiting === 0) return this.#conn.write(bytes, release)
    if (this.gone || this.#closing) {
      release?.()
      return Promise.reject(this.gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    const early = this.#started ? 0 : Math.min(bytes.length, this.#options.maxBytes)
    const later = new Uint8Array(bytes.subarray(early))
    if (bytes.length > 0) this.#start(bytes.subarray(0, early))
    release?.()
    if (later.length > 0) return this.#later(later)
    return this.#started ? this.#opened.promise.then(() => {}) : undefined
  }

  async #later(bytes: Uint8Array): Promise<void> {
    this.#waiting++
    let wait: void | Promise<void>
    try {
      const conn = await this.#opened.promise
      wait = conn.write(bytes, () => {})
    } finally {
      this.#waiting--
    }
    await wait
  }

  holdAtMost(bytes: number): void {
    this.#hold = bytes
    this.#conn?.holdAtMost(bytes)
  }

  readAtMost(bytes: number): void {
    this.#carrier.readAtMost?.(bytes)
  }

  hold(alive: boolean): void {
    this.#carrier.hold?.(alive)
  }

  closeWrite(): Promise<void> {
    if (!this.#closing) {
      this.#start(new Uint8Array(0))
      this.#closing = this.#opened.promise.then(
        (conn) => conn.closeWrite(),
        () => {},
      )
    }
    return this.#closing
  }

  destroy(reason?: Error): void {
    if (this.#conn) this.#conn.destroy(reason)
    else this.#carrier.destroy(reason)
  }
}

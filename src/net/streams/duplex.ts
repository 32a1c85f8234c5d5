import { Duplex } from 'node:stream'
import type { Conn } from '../../core/conn.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { StreamConn } from './stream-conn.ts'

/** A Node Duplex for code that wants one. The Conn belongs to it from then on. */
export const toDuplex = (conn: Conn): Duplex => new ConnDuplex(conn)

/**
 * What a Node-native layer such as TLS runs on. A Conn over a Node stream gives up that stream itself, so that TLS runs
 * on the socket without a detour through JavaScript; any other Conn is wrapped. `first`, owned, was read from it before.
 */
export function carrierOf(conn: Conn, first?: Uint8Array): Duplex {
  if (conn instanceof StreamConn) return conn.surrender(first)
  return new ConnDuplex(first ? prefixed(conn, first) : conn)
}

/** A Conn as a Duplex with two halves. */
export class ConnDuplex extends Duplex {
  readonly #conn: Conn
  #started = false
  /** The peer ended in order; what was pushed may still wait for the application. */
  #drained = false
  #resume: (() => void) | undefined

  constructor(conn: Conn) {
    super({ allowHalfOpen: true })
    this.#conn = conn
    conn.onGone((why) => this.#onGone(why))
  }

  /** A carrier whose both halves have ended is gone without anything being wrong. */
  #onGone(why: Error): void {
    if (!this.#drained) this.destroy(why)
    else if (this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }

  override _read(): void {
    this.#resume?.()
    this.#resume = undefined
    if (this.#started) return
    this.#started = true
    this.#conn
      .drainTo((lent) => {
        // Node keeps what is pushed, so lent bytes are copied here, once.
        if (this.push(Buffer.from(lent))) return
        return new Promise<void>((resolve) => {
          this.#resume = resolve
        })
      })
      .then(
        () => {
          this.#drained = true
          this.push(null)
        },
        (error: Error) => this.destroy(error),
      )
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const wait = this.#conn.write(chunk)
    if (wait) wait.then(() => done(), done)
    else done()
  }

  override _final(done: (error?: Error | null) => void): void {
    const wait = this.#conn.closeWrite()
    if (wait) wait.then(() => done(), done)
    else done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#resume?.()
    this.#conn.destroy(error ?? undefined)
    done(error)
  }
}

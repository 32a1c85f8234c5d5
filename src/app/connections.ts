import type { Conn } from '../core/conn.ts'
import type { Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'

/** The client connections of an instance: those in progress, and how they end when the instance stops. */
export class Connections {
  /** Connections in a handshake, or between two requests: a stop cuts them first. */
  readonly handshakes = new Set<Conn>()
  readonly #clock: Clock
  readonly #all = new Set<Conn>()
  #allGone: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#all.size
  }

  enter(conn: Conn): void {
    this.#all.add(conn)
  }

  leave(conn: Conn): void {
    conn.destroy()
    this.#all.delete(conn)
    if (this.#all.size === 0) this.#allGone?.()
  }

  /** Cuts what carries nothing yet or no more, waits for the others to end, and cuts those left after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    for (const conn of this.handshakes) conn.destroy(stopping())
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(graceMs, resolve)
        this.#allGone = () => {
          cancel()
          resolve()
        }
      })
    }
    this.kill()
  }

  /** Cuts all of them now; a drain() in progress then ends at once. */
  kill(): void {
    this.#allGone?.()
    for (const conn of this.#all) conn.destroy(stopping())
  }
}

const stopping = (): ProxyError => new ProxyError('SHUTTING_DOWN', 'the program is stopping')

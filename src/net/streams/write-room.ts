import type { Writable } from 'node:stream'
import { limits } from '../../core/limits.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'

/** Whether a stream has room for more bytes, and who waits for it. */
export class WriteRoom {
  readonly #stream: Writable
  #most: number = limits.writeHighWater
  #waiting: Deferred<void> | undefined

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** As Conn.holdAtMost(). */
  holdAtMost(bytes: number): void {
    this.#most = bytes
    this.written()
  }

  /** After a write: undefined, or until when to wait. */
  wait(): Promise<void> | undefined {
    // Already 0 after a write that the carrier took at once, though its callback is still to come.
    if (this.#stream.writableLength <= this.#most) return undefined
    this.#waiting ??= deferred()
    return this.#waiting.promise
  }

  /** Bytes have left. */
  written(): void {
    if (!this.#waiting || this.#stream.writableLength > this.#most / 2) return
    this.#waiting.resolve()
    this.#waiting = undefined
  }

  /** There will be no room any more. */
  fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

import { limits } from '../../core/limits.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'

/** When whoever writes should wait: from a bound of unsent bytes on, until half of them are out. */
export class WriteGate {
  #most: number = limits.writeHighWater
  #open: Deferred<void> | undefined

  /** So many bytes are unsent. A promise: wait for it. */
  wait(unsent: number): Promise<void> | undefined {
    if (unsent <= this.#most) return undefined
    this.#open ??= deferred()
    return this.#open.promise
  }

  /** Fewer are unsent now. */
  wake(unsent: number): void {
    if (!this.#open || unsent > this.#most / 2) return
    this.#open.resolve()
    this.#open = undefined
  }

  holdAtMost(bytes: number, unsent: number): void {
    this.#most = bytes
    this.wake(unsent)
  }

  fail(error: Error): void {
    this.#open?.reject(error)
    this.#open = undefined
  }
}

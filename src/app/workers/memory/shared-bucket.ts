import type { Bucket } from '../../../account/bucket.ts'
import { Lock } from './lock.ts'

/** Doubles in front of what is kept for each thread: the lock, when it was filled, and what nobody in particular has. */
const at = { filled: 1, pool: 2, threads: 3 } as const

/** @param threads that take from it */
export const bucketMemory = (threads: number): SharedArrayBuffer =>
  new SharedArrayBuffer((at.threads + 2 * threads) * 8)

/**
 * A bucket from which several threads take: together they get what one would. What falls due is divided by the connections
 * that wait in each, so that none of them starves; where none wait it is anybody's.
 */
export class SharedBucket implements Bucket {
  readonly #cells: Float64Array
  readonly #lock: Lock
  readonly #who: number
  readonly #threads: number
  readonly #elapsed: () => number

  /** @param elapsed milliseconds, the same in all threads  @param who this thread, from 0 */
  constructor(memory: SharedArrayBuffer, who: number, elapsed: () => number) {
    this.#cells = new Float64Array(memory)
    this.#lock = new Lock(new Int32Array(memory), 0, who)
    this.#who = who
    this.#threads = (this.#cells.length - at.threads) / 2
    this.#elapsed = elapsed
  }

  get credit(): number {
    return this.#cells[at.pool]! + this.#cells[this.#own]!
  }

  get share(): number {
    const waiting = this.#cells[this.#waiting]!
    return waiting > 0 ? waiting / this.#allWaiting : 1
  }

  fill(rate: number, capacity: number, waiting: number): void {
    this.#lock.acquire()
    try {
      const cells = this.#cells
      cells[this.#waiting] = waiting
      const now = this.#elapsed()
      const due = Math.max(0, now - cells[at.filled]!) * rate
      cells[at.filled] = Math.max(now, cells[at.filled]!)
      if (waiting === 0) this.#giveBack(this.#who)
      this.#divide(due, capacity)
    } finally {
      this.#lock.release()
    }
  }

  take(amount: number, least: number): boolean {
    this.#lock.acquire()
    try {
      const cells = this.#cells
      if (this.credit < least) return false
      const own = Math.min(amount, cells[this.#own]!)
      cells[this.#own] = cells[this.#own]! - own
      cells[at.pool] = cells[at.pool]! - (amount - own)
      return true
    } finally {
      this.#lock.release()
    }
  }

  /** Another thread has ended: what it had is anybody's. */
  forget(who: number): void {
    this.#lock.forget(who)
    this.#lock.acquire()
    this.#cells[at.threads + this.#threads + who] = 0
    this.#giveBack(who)
    this.#lock.release()
  }

  get #own(): number {
    return at.threads + this.#who
  }

  get #waiting(): number {
    return at.threads + this.#threads + this.#who
  }

  get #allWaiting(): number {
    let all = 0
    for (let i = 0; i < this.#threads; i++) all += this.#cells[at.threads + this.#threads + i]!
    return all
  }

  #giveBack(who: number): void {
    const cells = this.#cells
    cells[at.pool] = cells[at.pool]! + cells[at.threads + who]!
    cells[at.threads + who] = 0
  }

  /** A debt is paid first, and what one thread cannot hold is for all. */
  #divide(due: number, capacity: number): void {
    const cells = this.#cells
    let left = due
    const all = this.#allWaiting
    if (all > 0) {
      const paid = Math.min(left, Math.max(0, -cells[at.pool]!))
      cells[at.pool] = cells[at.pool]! + paid
      left -= paid
      const divided = left
      for (let i = 0; i < this.#threads; i++) {
        const part = (divided * cells[at.threads + this.#threads + i]!) / all
        const taken = Math.max(0, Math.min(part, capacity - cells[at.threads + i]!))
        cells[at.threads + i] = cells[at.threads + i]! + taken
        left -= taken
      }
    }
    cells[at.pool] = Math.min(capacity, cells[at.pool]! + left)
  }
}

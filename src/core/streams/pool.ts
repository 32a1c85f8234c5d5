import type { Sink } from '../conn.ts'

/**
 * Output buffers of a few sizes, lent out while bytes are in flight and taken back when the write is done, so that an
 * idle connection owns none and a busy one allocates none.
 */

/**
 * Class sizes in bytes; the last but one holds one sealed or opened batch of the shared read buffer and a cut-off chunk, the last one the same
 * of what Bun reads at once, 512 KB.
 */
const classes = [2 * 1024, 8 * 1024, 32 * 1024, 128 * 1024, 352 * 1024, 608 * 1024] as const

/** Free bytes kept per class; what comes back beyond that is left to the garbage collector. */
const keepPerClass = 8 * 1024 * 1024

export interface Pooled {
  /** At least as long as asked for; contents are leftovers. */
  readonly bytes: Uint8Array
  /** Gives the buffer back; it must not be touched afterwards. Once: a second call does nothing, as long as nobody else has it. */
  readonly release: () => void
  /** Has `sink` take the first `length` bytes, and gives the buffer back when it has returned or, if it keeps them, when it is done with them. */
  lend(length: number, sink: Sink): void | Promise<void>
}

const free: PoolBuffer[][] = classes.map(() => [])

/** A buffer of at least `size` bytes. Larger than every class: a fresh one that nobody gets again. */
export function takeBuffer(size: number): Pooled {
  for (let i = 0; i < classes.length; i++) {
    if (size > classes[i]!) continue
    const kept = free[i]!.pop() ?? new PoolBuffer(classes[i]!, free[i]!)
    return kept.take()
  }
  return new PoolBuffer(size, undefined).take()
}

class PoolBuffer implements Pooled {
  readonly bytes: Uint8Array
  readonly #list: PoolBuffer[] | undefined
  /** Whether somebody has it: who gives it back twice must not have it lent to two. */
  #taken = false
  /** How often it was taken: tells whether it is still the same who has it. */
  #turn = 0
  #kept = false

  constructor(size: number, list: PoolBuffer[] | undefined) {
    this.bytes = new Uint8Array(size)
    this.#list = list
  }

  take(): this {
    this.#taken = true
    this.#kept = false
    this.#turn++
    return this
  }

  readonly release = (): void => {
    if (!this.#taken) return
    this.#taken = false
    const list = this.#list
    if (list && list.length < keepPerClass / this.bytes.length) list.push(this)
  }

  lend(length: number, sink: Sink): void | Promise<void> {
    const turn = this.#turn
    try {
      return sink(this.bytes.subarray(0, length), this.#keep)
    } finally {
      // Whoever kept it may have given it back already, and somebody else may have it by now.
      if (this.#turn === turn && !this.#kept) this.release()
    }
  }

  readonly #keep = (): (() => void) => {
    this.#kept = true
    return this.release
  }
}

/** So many tries before the thread goes to sleep: whoever holds the lock does so for a microsecond. */
const tries = 200
/** For so long a thread sleeps before it looks again, ms. */
const napMs = 10
/** What one and the same holder has not given back for so long, ms, was left behind by a thread that has ended. */
const abandonedMs = 2_000

/**
 * Lets one thread at a time work on shared memory. Who holds it never waits and never calls out, so others wait for
 * microseconds. A thread that ends in the middle, because its heap is full, leaves it behind: then it is taken away.
 */
export class Lock {
  readonly #words: Int32Array
  readonly #at: number
  readonly #who: number
  #turn = 0

  /** @param at the word that is the lock, 0 at first  @param who tells this thread from the others: 0 to 255 */
  constructor(words: Int32Array, at: number, who: number) {
    this.#words = words
    this.#at = at
    this.#who = who + 1
  }

  acquire(): void {
    const words = this.#words
    // Every hold looks different, so that one that lasts can be told from many.
    this.#turn = (this.#turn + 1) & 0x3f_ffff
    const mine = this.#who + this.#turn * 512
    for (let i = 0; i < tries; i++) if (Atomics.compareExchange(words, this.#at, 0, mine) === 0) return
    this.#wait(mine)
  }

  release(): void {
    Atomics.store(this.#words, this.#at, 0)
    Atomics.notify(this.#words, this.#at, 1)
  }

  /** Another thread has ended: what it held is free. */
  forget(who: number): void {
    const holder = Atomics.load(this.#words, this.#at)
    if (holder % 512 !== who + 1) return
    if (Atomics.compareExchange(this.#words, this.#at, holder, 0) === holder) Atomics.notify(this.#words, this.#at, 1)
  }

  #wait(mine: number): void {
    const words = this.#words
    let holder = 0
    let naps = 0
    for (;;) {
      const now = Atomics.compareExchange(words, this.#at, 0, mine)
      if (now === 0) return
      if (now !== holder) {
        holder = now
        naps = 0
      }
      const woken = Atomics.wait(words, this.#at, now, napMs)
      if (woken === 'timed-out' && ++naps * napMs >= abandonedMs) {
        if (Atomics.compareExchange(words, this.#at, holder, mine) === holder) return
      }
    }
  }
}

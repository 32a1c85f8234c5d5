import type { Cancel, Clock } from '../core/env.ts'

/** A connection to an API. */
export interface Caller {
  destroy(): unknown
}

export interface CallersDeps {
  readonly clock: Clock
  /** Connections at once. */
  readonly max: number
  /** Time to begin the first call, ms. */
  readonly silenceMs: number
}

interface Entry {
  heard: boolean
  known: boolean
  calls: number
  readonly cancel: Cancel
}

/**
 * The connections to an API, those that were used longest ago first. Whoever comes finds room as long as there is somebody
 * who can go: first who never said a word, then strangers, who have not shown that they may, then callers who wait for nothing.
 */
export class Callers<C extends Caller> {
  readonly #deps: CallersDeps
  readonly #entries = new Map<C, Entry>()

  constructor(deps: CallersDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#entries.size
  }

  /** Takes in a stranger. When everybody is busy it is the stranger who is destroyed; the answer is false then. */
  enter(caller: C): boolean {
    if (this.#entries.size >= this.#deps.max) {
      const leaver = this.#leaver()
      if (!leaver) {
        caller.destroy()
        return false
      }
      this.leave(leaver)
      leaver.destroy()
    }
    const cancel = this.#deps.clock.after(this.#deps.silenceMs, () => {
      this.leave(caller)
      caller.destroy()
    })
    this.#entries.set(caller, { heard: false, known: false, calls: 0, cancel })
    return true
  }

  /** It said something that is no call yet: others go before it. */
  hear(caller: C): void {
    const entry = this.#entries.get(caller)
    if (entry) entry.heard = true
  }

  /** A call began: it is not silent, and is used last. */
  begin(caller: C): void {
    const entry = this.#entries.get(caller)
    if (!entry) return
    entry.cancel()
    entry.heard = true
    entry.calls++
    this.#entries.delete(caller)
    this.#entries.set(caller, entry)
  }

  /** A call ended. */
  end(caller: C): void {
    const entry = this.#entries.get(caller)
    if (entry) entry.calls--
  }

  /** It is a caller and no stranger: calls of it that last protect it. */
  know(caller: C): void {
    const entry = this.#entries.get(caller)
    if (entry) entry.known = true
  }

  /** It is gone. Idempotent. */
  leave(caller: C): void {
    this.#entries.get(caller)?.cancel()
    this.#entries.delete(caller)
  }

  /** Whether it is answered right now. */
  busy(caller: C): boolean {
    return (this.#entries.get(caller)?.calls ?? 0) > 0
  }

  [Symbol.iterator](): IterableIterator<C> {
    return this.#entries.keys()
  }

  #leaver(): C | undefined {
    let stranger: C | undefined
    let idle: C | undefined
    for (const [caller, { heard, known, calls }] of this.#entries) {
      if (!heard) return caller
      if (!known) stranger ??= caller
      else if (calls === 0) idle ??= caller
    }
    return stranger ?? idle
  }
}

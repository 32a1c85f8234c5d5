/**
 * When something is over, as a callback. Inside the program this stands where AbortSignal stands at the public door: a
 * controller with its listeners costs more than the rest of what a connection needs to know of its end.
 */

import type { Cancel } from './env.ts'

export interface Lifetime {
  /** Why it is over; undefined while it lasts. */
  readonly gone: Error | undefined
  /** Runs `run` once when it is over: at once if it is already. Never throws; `run` must not throw. Returns how to take it back. */
  onGone(run: (why: Error) => void): Cancel
}

/** Who waits for the end. */
interface Entry {
  run: ((why: Error) => void) | undefined
  before: Entry | undefined
  after: Entry | undefined
}

/** A lifetime that its owner ends. */
export class Life implements Lifetime {
  #gone: Error | undefined
  #first: Entry | undefined
  #last: Entry | undefined

  get gone(): Error | undefined {
    return this.#gone
  }

  onGone(run: (why: Error) => void): Cancel {
    if (this.#gone) {
      run(this.#gone)
      return nothing
    }
    const entry: Entry = { run, before: this.#last, after: undefined }
    if (this.#last) this.#last.after = entry
    else this.#first = entry
    this.#last = entry
    return () => this.#remove(entry)
  }

  #remove(entry: Entry): void {
    if (!entry.run) return
    entry.run = undefined
    const { before, after } = entry
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
  }

  /** Idempotent: the first reason counts. */
  end(why: Error): void {
    if (this.#gone) return
    this.#gone = why
    for (let entry = this.#first; entry; entry = this.#first) {
      const { run } = entry
      this.#remove(entry)
      run!(why)
    }
  }
}

const nothing = (): void => {}

/** For what nobody cancels. */
export const forever: Lifetime = { gone: undefined, onGone: () => nothing }

/** A signal of the public door, as a lifetime. */
export function lifetimeOf(signal: AbortSignal): Lifetime {
  const why = (): Error => (signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
  return {
    get gone() {
      return signal.aborted ? why() : undefined
    },
    onGone(run) {
      if (signal.aborted) {
        run(why())
        return nothing
      }
      const listener = (): void => run(why())
      signal.addEventListener('abort', listener, { once: true })
      return () => signal.removeEventListener('abort', listener)
    },
  }
}

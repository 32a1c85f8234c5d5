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

/** A lifetime that its owner ends. */
export class Life implements Lifetime {
  #gone: Error | undefined
  #runs: Set<(why: Error) => void> | undefined

  get gone(): Error | undefined {
    return this.#gone
  }

  onGone(run: (why: Error) => void): Cancel {
    if (this.#gone) {
      run(this.#gone)
      return nothing
    }
    // An entry of its own, so that the same function given twice counts twice.
    const entry = (why: Error) => run(why)
    this.#runs ??= new Set()
    this.#runs.add(entry)
    return () => void this.#runs?.delete(entry)
  }

  /** Idempotent: the first reason counts. */
  end(why: Error): void {
    if (this.#gone) return
    this.#gone = why
    const runs = this.#runs
    this.#runs = undefined
    if (runs) for (const run of runs) run(why)
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

import type { Clock } from '../core/env.ts'
import { limits } from '../core/limits.ts'
import type { Answer } from './answer.ts'

/** Answers for as long as they hold. Bounded: when it is full the one that was put in first goes. */
export class Cache {
  readonly #clock: Clock
  readonly #entries = new Map<string, { readonly answer: Answer; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): Answer | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.untilMs > this.#clock.elapsed()) return entry.answer
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, answer: Answer): void {
    if (answer.ttlMs <= 0) return
    this.#entries.delete(key)
    if (this.#entries.size >= limits.dnsCacheEntries) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { answer, untilMs: this.#clock.elapsed() + answer.ttlMs })
  }
}

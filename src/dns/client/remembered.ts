import type { Clock } from '../../core/env.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import { Joint } from '../joint.ts'
import type { NameSource } from './source.ts'

interface Entry {
  readonly answer: NameAnswer
  readonly untilMs: number
}

export interface Memory {
  readonly disabled: boolean
  /** Serve what has expired and ask behind it. */
  readonly stale: boolean
  /** How long after its end, ms; Infinity: for ever. */
  readonly staleMs: number
}

/**
 * A source with a memory of its own: nothing that one server said is another one's answer. It keeps to what the answers say
 * of themselves, also of names that do not exist; a question in progress is asked once.
 */
export class Remembered implements NameSource {
  readonly #source: NameSource
  readonly #clock: Clock
  readonly #memory: Memory
  readonly #entries = new Map<string, Entry>()
  readonly #joint = new Joint<NameAnswer>(limits.dnsQuestions)

  constructor(source: NameSource, clock: Clock, memory: Memory) {
    this.#source = source
    this.#clock = clock
    this.#memory = memory
  }

  ask(name: string, type: RecordType, until: Lifetime): Promise<NameAnswer> {
    const key = `${type} ${name.toLowerCase()}`
    const known = this.#known(key)
    if (known && known.ttlS > 0) return Promise.resolve(known)
    if (!known) return this.#fresh(key, name, type, until)
    this.#fresh(key, name, type, new Life()).catch(() => {}) // the old one has been given; the next asker tries again
    return Promise.resolve({ ...known, ttlS: 1 })
  }

  /** With ttlS 0 it is stale. */
  #known(key: string): NameAnswer | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const leftMs = entry.untilMs - this.#clock.elapsed()
    if (leftMs > 0) return { ...entry.answer, ttlS: Math.ceil(leftMs / 1000) }
    if (this.#memory.stale && -leftMs < this.#memory.staleMs) return { ...entry.answer, ttlS: 0 }
    this.#entries.delete(key)
    return undefined
  }

  #fresh(key: string, name: string, type: RecordType, until: Lifetime): Promise<NameAnswer> {
    return this.#joint.join(key, until, async (shared) => {
      const answer = await this.#source.ask(name, type, shared)
      this.#remember(key, answer)
      return answer
    })
  }

  #remember(key: string, answer: NameAnswer): void {
    const { disabled } = this.#memory
    // What a server could not say now it may say in a moment.
    if (disabled || (answer.rcode !== 0 && answer.rcode !== 3)) return
    this.#entries.delete(key)
    if (this.#entries.size >= limits.dnsCacheEntries) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { answer, untilMs: this.#clock.elapsed() + answer.ttlS * 1000 })
  }
}

import { limits } from '../../core/limits.ts'
import type { Samples } from './observation.ts'

/** The latest measurements of one outbound, for as long as they are valid. */
export class SampleWindow {
  readonly #most: number
  readonly #validMs: number
  #samples: { readonly at: number; readonly ms: number | undefined }[] = []

  constructor(most: number, validMs: number) {
    this.#most = Math.min(most, limits.probeSamples)
    this.#validMs = validMs
  }

  /** `ms` undefined: it failed. `now` is a time that never goes back. */
  add(now: number, ms: number | undefined): void {
    this.#samples.push({ at: now, ms })
    if (this.#samples.length > this.#most) this.#samples.shift()
  }

  statistics(now: number): Samples {
    const valid = this.#samples.filter(({ at }) => now - at <= this.#validMs)
    const times = valid.flatMap(({ ms }) => ms ?? [])
    const counts = { all: valid.length, fail: valid.length - times.length }
    if (times.length === 0) return { ...counts, deviation: 0, average: 0, max: 0, min: 0 }
    const average = times.reduce((sum, ms) => sum + ms, 0) / times.length
    // Of a single one nothing is known: half of it keeps one that was measured once from being the steadiest of all.
    const variance = times.reduce((sum, ms) => sum + (ms - average) ** 2, 0) / times.length
    const deviation = times.length < 2 ? average / 2 : Math.sqrt(variance)
    return { ...counts, deviation, average, max: Math.max(...times), min: Math.min(...times) }
  }
}

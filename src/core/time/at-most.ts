import type { Clock } from '../env.ts'

/** Says yes at most `count` times in each span of `ms`, which begins with the first yes after the one before. */
export function atMost(clock: Clock, count: number, ms: number): () => boolean {
  let since = Number.NEGATIVE_INFINITY
  let given = 0
  return () => {
    const now = clock.elapsed()
    if (now - since >= ms) {
      since = now
      given = 0
    }
    return given < count && ++given > 0
  }
}

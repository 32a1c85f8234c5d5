/** Work over many things that lets everybody else have their turn in between. */
import type { Clock } from '../env.ts'
import { limits } from '../limits.ts'

/** So many are done between two looks at the clock. */
const stride = 16

/** To be awaited between pieces of work: a pause where they have taken `limits.sliceMs` together, nothing where not. */
export function pauses(clock: Clock): () => Promise<void> | undefined {
  let startedAt = clock.elapsed()
  return () => {
    const now = clock.elapsed()
    if (now >= startedAt && now - startedAt < limits.sliceMs) return undefined
    return new Promise<void>((resolve) => clock.after(0, resolve)).then(() => {
      startedAt = clock.elapsed()
    })
  }
}

/**
 * Does `work` for one thing after the other, with pauses. Things that come or go meanwhile may be among them or not, as it
 * is with the iterator.
 */
export async function inSlices<T>(clock: Clock, things: Iterable<T>, work: (thing: T) => void): Promise<void> {
  const pause = pauses(clock)
  let left = stride
  for (const thing of things) {
    work(thing)
    if (--left > 0) continue
    left = stride
    const paused = pause()
    if (paused) await paused
  }
}

/** As Array.from, in slices. */
export async function mapInSlices<T, U>(clock: Clock, things: Iterable<T>, map: (thing: T) => U): Promise<U[]> {
  const mapped: U[] = []
  await inSlices(clock, things, (thing) => mapped.push(map(thing)))
  return mapped
}

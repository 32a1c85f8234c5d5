/** Work over many things that lets everybody else have their turn in between. */
import type { Clock } from './env.ts'
import { limits } from './limits.ts'

/** So many are done between two looks at the clock. */
const stride = 32

/**
 * Does `work` for one thing after the other, and pauses whenever that has taken `limits.sliceMs`. Things that come or go
 * meanwhile may be among them or not, as it is with the iterator.
 */
export async function inSlices<T>(clock: Clock, things: Iterable<T>, work: (thing: T) => void): Promise<void> {
  let startedAt = clock.now()
  let left = stride
  for (const thing of things) {
    work(thing)
    if (--left > 0) continue
    left = stride
    const now = clock.now()
    if (now >= startedAt && now - startedAt < limits.sliceMs) continue
    await new Promise<void>((resolve) => clock.after(0, resolve))
    startedAt = clock.now()
  }
}

/** As Array.from, in slices. */
export async function mapInSlices<T, U>(clock: Clock, things: Iterable<T>, map: (thing: T) => U): Promise<U[]> {
  const mapped: U[] = []
  await inSlices(clock, things, (thing) => mapped.push(map(thing)))
  return mapped
}

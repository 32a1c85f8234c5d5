import type { Clock } from '../env.ts'

/** Keys remembered at once; a flood of new sources forgets the oldest instead of growing. */
const keysMax = 4096

/**
 * Says for a key whether it is due: true the first time, then false until `ms` have passed since the last true.
 * For log lines that one peer could otherwise write without end.
 */
export function onceEvery(clock: Clock, ms: number): (key: string) => boolean {
  const last = new Map<string, number>()
  return (key) => {
    const now = clock.elapsed()
    const before = last.get(key)
    if (before !== undefined && now - before < ms) return false
    last.delete(key)
    last.set(key, now)
    if (last.size > keysMax) last.delete(last.keys().next().value!)
    return true
  }
}

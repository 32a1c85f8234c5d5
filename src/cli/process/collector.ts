import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Flags that the command sets: as Node has them, and as we do. */
const flags: (readonly [name: string, node: number | boolean, ours: number | boolean])[] = [
  ['heap-growing-percent', 0, 400],
  ['semi-space-growth-factor', 2, 1],
]
if (process.versions.v8.startsWith('13.')) flags.push(['external-memory-accounted-in-global-limit', false, true])

const setFlag = (name: string, value: number | boolean): void =>
  setFlagsFromString(typeof value === 'number' ? `--${name}=${value}` : `--${value ? '' : 'no-'}${name}`)

let relaxed = false

/**
 * Lets V8's heap grow to five times what was alive before it collects all of it, instead of a fraction more. Sealing and
 * opening make a buffer per chunk, which V8 counts as pressure: after one full collection of a heap as small as ours it sets
 * the next limit so near that it collects some thirty times per gigabyte, for a third of the processor. The flag works
 * while the program runs, and it belongs to the command: a program that uses the library decides for itself. The V8 of
 * Node 24 has a limit of its own for such buffers, unless it is told to count them with the rest; other versions do not
 * know that flag, and would say so.
 *
 * The young generation stays as small as it is at first, 1 MB for each half, until the program has started: that
 * holds 2 MB less. See sizeYoungGeneration() for what comes then.
 */
export function relaxCollector(): void {
  for (const [name, , ours] of flags) setFlag(name, ours)
  relaxed = true
}

/**
 * Loads code while V8's flags are as Node sets them. V8 takes a code cache only under the very flags that it was made under,
 * which holds for the caches of Node's own modules too: without this they, and ours, are compiled instead, which doubles
 * what a start costs. What sizeYoungGeneration() has set comes back with the next collection.
 */
export function underNodesFlags<T>(load: () => T): T {
  if (!relaxed) return load()
  for (const [name, node] of flags) setFlag(name, node)
  try {
    return load()
  } finally {
    relaxCollector()
  }
}

/** What V8's young generation should hold before it is collected, bytes: some seventy new connections' worth. */
const youngBytes = 4 << 20

/**
 * Lets V8's young generation grow to 4 MB and no further. Left to itself it begins with 1 MB, grows to 16 MB under load, and shrinks
 * whenever a program is quiet. At 1 MB every fifteen new connections are interrupted by a collection, which has to copy
 * all that are in progress and has threads wait for each other; at 16 MB a thousand idle connections, which made it
 * grow, hold twice as much resident memory. V8 knows no such bound while it runs, only the factor of its growth: after
 * each collection that becomes what is missing. See docs/ablation.md.
 */
export function sizeYoungGeneration(): void {
  const follow = (): void => {
    const committed = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
    // Two halves, of which the second one is there after the first collection.
    const missing = Math.max(1, Math.round(youngBytes / Math.max(committed / 2, 1 << 20)))
    setFlag('semi-space-growth-factor', missing)
  }
  follow()
  new PerformanceObserver(follow).observe({ entryTypes: ['gc'] })
}

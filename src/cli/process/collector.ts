import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

type Value = number | boolean

/** The flags that the command changes, as Node has them. */
const nodesFlags: Readonly<Record<string, Value>> = {
  'heap-growing-percent': 0,
  'semi-space-growth-factor': 2,
  'external-memory-accounted-in-global-limit': false,
}

/** What is set now. Of this file there are two copies, in what starts the command and in what it starts. */
const shared = globalThis as { [key: symbol]: Map<string, Value> | undefined }
const key = Symbol.for('vmess: flags of V8')
const set = shared[key] ?? new Map<string, Value>()
shared[key] = set

const tell = (name: string, value: Value): void =>
  setFlagsFromString(typeof value === 'number' ? `--${name}=${value}` : `--${value ? '' : 'no-'}${name}`)

function setFlag(name: string, value: Value): void {
  set.set(name, value)
  tell(name, value)
}

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
  setFlag('heap-growing-percent', 400)
  setFlag('semi-space-growth-factor', 1)
  if (process.versions.v8.startsWith('13.')) setFlag('external-memory-accounted-in-global-limit', true)
}

/**
 * Loads code while V8's flags are as Node sets them. V8 takes a code cache only under the very flags that it was made under,
 * which holds for the caches of Node's own modules too: otherwise they, and ours, are compiled, which doubles what a start costs.
 */
export function underNodesFlags<T>(load: () => T): T {
  for (const name of set.keys()) tell(name, nodesFlags[name]!)
  try {
    return load()
  } finally {
    for (const [name, value] of set) tell(name, value)
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
    if (missing !== set.get('semi-space-growth-factor')) setFlag('semi-space-growth-factor', missing)
  }
  follow()
  new PerformanceObserver(follow).observe({ entryTypes: ['gc'] })
}

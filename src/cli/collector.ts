import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Lets V8's heap grow to five times what was alive before it collects all of it, instead of a fraction more. Sealing and
 * opening make a buffer per chunk, which V8 counts as pressure: after one full collection of a heap as small as ours it sets
 * the next limit so near that it collects some thirty times per gigabyte, for a third of the processor. The flag works
 * while the program runs, and it belongs to the command: a program that uses the library decides for itself. The V8 of
 * Node 24 has a limit of its own for such buffers, unless it is told to count them with the rest; other versions do not
 * know that flag, and would say so.
 */
export function relaxCollector(): void {
  setFlagsFromString('--heap-growing-percent=400')
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
}

/** What V8's young generation holds before it is collected, bytes: some seventy new connections' worth. */
const youngBytes = 4 << 20

/**
 * Gives V8's young generation a size for good, once the program has started. Left to itself it begins with 1 MB, and grows to
 * 16 MB under load. At 1 MB every fifteen new connections are interrupted by a collection, which has to copy all that are in
 * progress; at 16 MB a thousand idle connections, which made it grow, hold twice as much resident memory. See docs/ablation.md.
 */
export function sizeYoungGeneration(): void {
  const committed = (): number =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
  if (committed() === 0) return // Bun has no such thing.
  // One half of the two in use, which are both committed only when there was a collection.
  const half = Math.max(committed() / 2, 1 << 20)
  setFlagsFromString(`--semi-space-growth-factor=${Math.max(1, Math.round(youngBytes / half))}`)
  // It grows when as much as it holds has outlived a collection.
  const outliving: unknown[] = []
  for (let i = 0; i < 100 && committed() < 2 * youngBytes; i++) outliving.push(new Array(4000).fill(0))
  setFlagsFromString('--semi-space-growth-factor=1')
}

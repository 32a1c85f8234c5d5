import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8's heap grow to five times what was alive before it collects all of it, instead of a fraction more. Sealing and
 * opening make a buffer per chunk, which V8 counts as pressure: after one full collection of a heap as small as ours it sets
 * the next limit so near that it collects some thirty times per gigabyte, for a third of the processor. The flag works
 * while the program runs, and it belongs to the command: a program that uses the library decides for itself. The V8 of
 * Node 24 has a limit of its own for such buffers, unless it is told to count them with the rest; other versions do not
 * know that flag, and would say so.
 */
export function relaxCollector(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=400')
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
}

/**
 * Keeps V8's young generation as small as it is once the program has started, some 2 to 4 MB, instead of letting it grow to
 * 48 MB under load. What is young here dies young: a connection costs no more time, and a thousand idle ones, which made
 * it grow, hold half as much resident memory. The measurement is in docs/decisions/0007.
 */
export const keepYoungSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1')

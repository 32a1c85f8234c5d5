import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8's heap grow to five times what was alive before it collects all of it, instead of a fraction more. Sealing and
 * opening make a buffer per chunk, which V8 counts as pressure: after one full collection of a heap as small as ours it sets
 * the next limit so near that it collects some thirty times per gigabyte, for a third of the processor. The flag works
 * while the program runs, and it belongs to the command: a program that uses the library decides for itself. The V8 of
 * Node 24 has a limit of its own for such buffers, unless it is told to count them with the rest; other versions do not
 * know that flag, and would say so.
 *
 * The young generation stays as small as it is when the program starts, 1 MB for each half, instead of growing to 48 MB under load.
 * What is young here dies young: a connection costs no more time, a start holds 2 MB less, and a thousand idle
 * connections, which made it grow, hold half as much resident memory. The measurement is in docs/decisions/0007.
 */
export function relaxCollector(): void {
  setFlagsFromString('--heap-growing-percent=400')
  setFlagsFromString('--semi-space-growth-factor=1')
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
}

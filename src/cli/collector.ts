import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8's heap grow to five times what was alive before it collects all of it, instead of a fraction more. Sealing and
 * opening make a buffer per chunk, which V8 counts as pressure: after one full collection of a heap as small as ours it sets
 * the next limit so near that it collects some thirty times per gigabyte, for a third of the processor. The flag works
 * while the program runs, and it belongs to the command: a program that uses the library decides for itself.
 */
export const relaxCollector = (): void => setFlagsFromString('--heap-growing-percent=400')

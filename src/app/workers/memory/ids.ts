/** Counts up from 1 in all threads that have the memory, 8 bytes. */
export function sharedIds(memory: SharedArrayBuffer): () => number {
  const last = new BigInt64Array(memory)
  return () => Number(Atomics.add(last, 0, 1n)) + 1
}

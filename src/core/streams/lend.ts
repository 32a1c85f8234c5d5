import type { Sink } from '../conn.ts'

/**
 * Lends bytes to a sink; what it throws comes out of the promise. Whoever waits for that should not be an async function
 * with the bytes in a variable: it would keep them for as long as it waits.
 */
export function lend(bytes: Uint8Array, sink: Sink): void | Promise<void> {
  try {
    return sink(bytes)
  } catch (error) {
    return Promise.reject(error)
  }
}

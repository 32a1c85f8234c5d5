import { randomFillSync } from 'node:crypto'
import type { Random } from '../core/env.ts'

/** Bytes fetched from the system at once: one call costs the same for 16 bytes as for many. */
const pool = new Uint8Array(4096)
let used = pool.length

function fill<T extends Uint8Array>(bytes: T): T {
  if (bytes.length > 256) return randomFillSync(bytes)
  if (used + bytes.length > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  bytes.set(pool.subarray(used, used + bytes.length))
  // What was handed out must not be found in memory later.
  pool.fill(0, used, used + bytes.length)
  used += bytes.length
  return bytes
}

const word = new Uint8Array(4)

function below(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 0x8000_0000) throw new RangeError(`limit out of range: ${limit}`)
  // Values behind the last whole multiple are drawn again, or small results would be likelier.
  const usable = 0x1_0000_0000 - (0x1_0000_0000 % limit)
  for (;;) {
    fill(word)
    const value = (word[0]! | (word[1]! << 8) | (word[2]! << 16) | (word[3]! << 24)) >>> 0
    if (value < usable) return value % limit
  }
}

/** The system's cryptographically strong generator. */
export const systemRandom: Random = { fill, below }

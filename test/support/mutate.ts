/** What happens to bytes on their way when somebody means harm. */
import type { Random } from '../../src/core/env.ts'

/** One to three changes of a kind that damage or malice would make. */
export function mutate(wire: Uint8Array, random: Random): Uint8Array {
  let bytes = new Uint8Array(wire)
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.length + 1)
    const length = random.below(40)
    const kind = random.below(6)
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    else if (kind === 1) random.fill(bytes.subarray(at, at + length))
    else if (kind === 2) bytes = splice(bytes, at, length, new Uint8Array(0))
    else if (kind === 3) bytes = splice(bytes, at, 0, random.fill(new Uint8Array(length)))
    else if (kind === 4) bytes = splice(bytes, at, 0, bytes.slice(at, at + length))
    else bytes.fill(random.below(2) * 255, at, at + length)
  }
  return bytes
}

const splice = (bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]))

import { takeBuffer } from '../../core/streams/pool.ts'

/** Bytes of one block: small ones run together, so that what is held costs little more than it is long. */
const blockMin = 8 * 1024

interface Block {
  readonly bytes: Uint8Array
  readonly release: () => void
  used: number
}

/** Bytes that were not read yet, copied into pooled buffers. Owns nothing while it is empty. */
export class Backlog {
  #blocks: Block[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies `lent`. */
  add(lent: Uint8Array): void {
    this.#length += lent.length
    const last = this.#blocks.at(-1)
    const fits = last ? Math.min(lent.length, last.bytes.length - last.used) : 0
    if (last && fits > 0) {
      last.bytes.set(lent.subarray(0, fits), last.used)
      last.used += fits
    }
    if (fits === lent.length) return
    const rest = lent.subarray(fits)
    const { bytes, release } = takeBuffer(Math.max(blockMin, rest.length))
    bytes.set(rest)
    this.#blocks.push({ bytes, release, used: rest.length })
  }

  /** Lends the oldest block to `use`, which must be done with it when it returns; what it throws comes out. */
  lend<T>(use: (lent: Uint8Array) => T): T {
    const block = this.#blocks.shift()!
    this.#length -= block.used
    try {
      return use(block.bytes.subarray(0, block.used))
    } finally {
      block.release()
    }
  }

  clear(): void {
    for (const block of this.#blocks) block.release()
    this.#blocks = []
    this.#length = 0
  }
}

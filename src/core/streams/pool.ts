/**
 * Output buffers of a few sizes, lent out while bytes are in flight and taken back when the write is done, so that an
 * idle connection owns none and a busy one allocates none.
 */

/** Class sizes in bytes; the largest holds one sealed or opened batch of the shared read buffer and a cut-off chunk. */
const classes = [2 * 1024, 8 * 1024, 32 * 1024, 128 * 1024, 352 * 1024] as const

/** Free bytes kept per class; what comes back beyond that is left to the garbage collector. */
const keepPerClass = 8 * 1024 * 1024

export interface Pooled {
  /** At least as long as asked for; contents are leftovers. */
  readonly bytes: Uint8Array
  /** Gives the buffer back; it must not be touched afterwards. Once: a second call does nothing, as long as nobody else has it. */
  readonly release: () => void
}

interface Kept extends Pooled {
  /** Whether somebody has it: who gives it back twice must not have it lent to two. */
  lent: boolean
}

const free: Kept[][] = classes.map(() => [])

/** A buffer of at least `size` bytes. Larger than every class: a fresh one that is not kept. */
export function takeBuffer(size: number): Pooled {
  for (let i = 0; i < classes.length; i++) {
    if (size > classes[i]!) continue
    const kept = free[i]!.pop() ?? create(i)
    kept.lent = true
    return kept
  }
  return { bytes: new Uint8Array(size), release: noop }
}

function create(index: number): Kept {
  const list = free[index]!
  const limit = keepPerClass / classes[index]!
  const kept: Kept = {
    bytes: new Uint8Array(classes[index]!),
    lent: false,
    release: () => {
      if (!kept.lent) return
      kept.lent = false
      if (list.length < limit) list.push(kept)
    },
  }
  return kept
}

const noop = () => {}

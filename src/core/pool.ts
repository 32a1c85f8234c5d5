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
  /** Gives the buffer back. Once; it must not be touched afterwards. */
  readonly release: () => void
}

const free: Pooled[][] = classes.map(() => [])

/** A buffer of at least `size` bytes. Larger than every class: a fresh one that is not kept. */
export function takeBuffer(size: number): Pooled {
  for (let i = 0; i < classes.length; i++) {
    if (size <= classes[i]!) return free[i]!.pop() ?? create(i)
  }
  return { bytes: new Uint8Array(size), release: noop }
}

function create(index: number): Pooled {
  const list = free[index]!
  const limit = keepPerClass / classes[index]!
  const pooled: Pooled = {
    bytes: new Uint8Array(classes[index]!),
    release: () => {
      if (list.length < limit) list.push(pooled)
    },
  }
  return pooled
}

const noop = () => {}

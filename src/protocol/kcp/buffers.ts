/** A buffer that somebody lends; see core/streams/pool. */
export interface Buffer {
  readonly bytes: Uint8Array
  readonly release: () => void
}

/** Lends buffers of at least `size` bytes. */
export type TakeBuffer = (size: number) => Buffer

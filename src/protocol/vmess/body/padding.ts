import type { Shake128 } from '../../../crypto/shake128.ts'

/** Where the lengths of the padding come from. Both ends draw one for every chunk, the terminator included, before any mask. */
export interface PaddingSource {
  /** The longest padding, bytes. */
  readonly max: number
  next(): number
}

export const noPadding: PaddingSource = { max: 0, next: () => 0 }

/** Global padding: 0 to 63 bytes, drawn from the stream that also masks sizes. */
export class ShakePadding implements PaddingSource {
  readonly max = 63
  readonly #shake: Shake128

  constructor(shake: Shake128) {
    this.#shake = shake
  }

  next(): number {
    return this.#shake.next() & 63
  }
}

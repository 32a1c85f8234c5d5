/** How much goes into a chunk that is sealed, and how much may come out of a call. */
import { ProxyError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'

/** A size field counts to here. */
const sizeMax = 65_535

export class ChunkRoom {
  /** The longest payload of a chunk, bytes. */
  readonly payloadMax: number
  readonly #around: number
  readonly #datagrams: boolean

  /** @param field bytes of the size field @param overhead by which data is longer than its payload @param padding the longest */
  constructor(field: number, overhead: number, padding: number, transfer: 'stream' | 'packet') {
    this.#around = field + overhead + padding
    this.#datagrams = transfer === 'packet'
    this.payloadMax = this.#datagrams ? sizeMax - overhead - padding : limits.chunkSealedMax - overhead
  }

  maxSealed(plain: number): number {
    // One more chunk than the payload needs: the terminator.
    return plain + (Math.ceil(plain / this.payloadMax) + 1) * this.#around
  }

  /** @throws ProxyError DATAGRAM_TOO_LARGE */
  checkDatagram(length: number): void {
    if (!this.#datagrams || length <= this.payloadMax) return
    throw new ProxyError(
      'DATAGRAM_TOO_LARGE',
      `a datagram of ${length} bytes; at most ${this.payloadMax} can be carried`,
    )
  }
}

export const terminated = () => new ProxyError('PROTOCOL_MISUSE', 'nothing can follow the terminator of a body')

/** The receiving side of a chunked body, as ChunkOpener, with all complete chunks of a batch opened by the native twin at once. */
import type { ProxyError } from '../../../core/errors.ts'
import type { Twin } from '../../../crypto/twin.ts'
import { CutOff } from '../../wire/cut-off.ts'
import type { BodyDirection, BodyOpener, BodyScheme } from '../body/body-model.ts'
import { chunkNotAuthentic, insideChunk, lengthNotAuthentic, sizeImpossible } from '../body/chunk-failures.ts'
import type { ChunkForm } from '../body/chunk-form.ts'
import { bodyState, failure, word } from './body-state.ts'

/** Lengths of the datagrams of one call. Taken while it is in use: whoever gets a datagram may open another body. */
let spare: Int32Array | undefined = new Int32Array(512)

export class TwinOpener implements BodyOpener {
  readonly #twin: Twin
  readonly #state: Int32Array
  readonly #packet: ((datagram: Uint8Array) => void) | undefined
  readonly #cutOff = new CutOff()
  #failure: ProxyError | undefined

  /** @param packet called once per chunk with its payload, where a chunk is a datagram */
  constructor(
    twin: Twin,
    form: ChunkForm,
    scheme: BodyScheme,
    direction: BodyDirection,
    packet: ((datagram: Uint8Array) => void) | undefined,
  ) {
    this.#twin = twin
    this.#state = bodyState(form, scheme, direction)
    this.#packet = packet
  }

  get ended(): boolean {
    return this.#state[word.ended] !== 0
  }

  room(batch: number): number {
    return this.#cutOff.length + batch
  }

  open(batch: Uint8Array, into: Uint8Array): number {
    if (this.#failure !== undefined) throw this.#failure
    const state = this.#state
    let head: Uint8Array | undefined
    let from = 0
    if (this.#cutOff.length > 0) {
      const missing = state[word.unit]! - this.#cutOff.length
      if (missing > batch.length) {
        this.#cutOff.add(batch, 0)
        return 0
      }
      head = this.#cutOff.join(batch, missing)
      from = missing
    }
    const out = this.#packet
      ? this.#datagrams(head, batch, from, into, this.#packet)
      : this.#checked(this.#twin.openBody(state, head, batch, from, into, 0, undefined))
    const consumed = state[word.consumed]!
    if (!this.ended && consumed < batch.length) this.#cutOff.add(batch, consumed)
    return out
  }

  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.ended) return
    if (this.#state[word.inChunk] !== 0 || this.#cutOff.length > 0) throw this.#fail(insideChunk())
  }

  /** Hands out each datagram; those in front of one that does not open, too. */
  #datagrams(
    head: Uint8Array | undefined,
    batch: Uint8Array,
    from: number,
    into: Uint8Array,
    packet: (datagram: Uint8Array) => void,
  ): number {
    const state = this.#state
    const lengths = spare ?? new Int32Array(512)
    spare = undefined
    try {
      for (let at = 0; ; ) {
        const out = this.#twin.openBody(state, head, batch, from, into, at, lengths)
        const count = state[word.datagrams]!
        for (let i = 0; i < count; i++) {
          const end = at + lengths[i]!
          packet(into.subarray(at, end))
          at = end
        }
        this.#checked(out)
        if (count < lengths.length) return at
        head = undefined
        from = state[word.consumed]!
      }
    } finally {
      spare = lengths
    }
  }

  #checked(out: number): number {
    if (out >= 0) return out
    if (out === failure.lengthNotAuthentic) throw this.#fail(lengthNotAuthentic())
    if (out === failure.sizeImpossible) throw this.#fail(sizeImpossible(this.#state[word.unit]!))
    throw this.#fail(chunkNotAuthentic())
  }

  #fail(error: ProxyError): ProxyError {
    this.#cutOff.clear()
    this.#failure = error
    return error
  }
}

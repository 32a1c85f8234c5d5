/** The sending side of a chunked body, as ChunkSealer, with all chunks of a call made by the native twin at once. */
import type { Random } from '../../../core/env.ts'
import { tagLength } from '../../../crypto/aead.ts'
import { systemRandom } from '../../../crypto/random.ts'
import type { Twin } from '../../../crypto/twin.ts'
import type { BodyDirection, BodyScheme, BodySealer } from '../body/body-model.ts'
import type { ChunkForm } from '../body/chunk-form.ts'
import { ChunkRoom, terminated } from '../body/chunk-room.ts'
import { bodyState, word } from './body-state.ts'

const nothing = new Uint8Array(0)

export class TwinSealer implements BodySealer {
  readonly framed: boolean
  readonly #twin: Twin
  readonly #state: Int32Array
  readonly #room: ChunkRoom
  /** Fills the padding; undefined is the system's generator, and the twin has that itself. */
  readonly #random: Random | undefined
  #finished = false

  constructor(
    twin: Twin,
    form: ChunkForm,
    scheme: BodyScheme,
    direction: BodyDirection & { readonly terminate: boolean; readonly random: Random },
  ) {
    this.framed = scheme.options.chunkStream && direction.terminate
    this.#twin = twin
    this.#state = bodyState(form, scheme, direction)
    this.#room = new ChunkRoom(this.#state[word.unit]!, tagLength, form.padded ? 63 : 0, scheme.transfer)
    this.#random = direction.random === systemRandom ? undefined : direction.random
  }

  maxSealed(plain: number): number {
    return this.#room.maxSealed(plain)
  }

  seal(plain: Uint8Array, into: Uint8Array, at: number): number {
    if (this.#finished) throw terminated()
    this.#room.checkDatagram(plain.length)
    // An empty chunk would end the body, so there is no such thing as an empty write or datagram.
    return plain.length === 0 ? at : this.#chunks(plain, into, at)
  }

  finish(into: Uint8Array, at: number): number {
    if (!this.framed || this.#finished) return at
    this.#finished = true
    return this.#chunks(nothing, into, at)
  }

  #chunks(plain: Uint8Array, into: Uint8Array, at: number): number {
    const { payloadMax } = this.#room
    if (this.#random === undefined) return this.#twin.sealBody(this.#state, plain, payloadMax, into, at, true)
    if (plain.length <= payloadMax) return this.#chunk(plain, into, at, this.#random)
    for (let from = 0; from < plain.length; from += payloadMax) {
      at = this.#chunk(plain.subarray(from, from + payloadMax), into, at, this.#random)
    }
    return at
  }

  /** One by one, because a source of random bytes is to be asked for each padding alone: then both implementations write the same. */
  #chunk(plain: Uint8Array, into: Uint8Array, at: number, random: Random): number {
    const end = this.#twin.sealBody(this.#state, plain, this.#room.payloadMax, into, at, false)
    const padding = this.#state[word.padding]!
    if (padding > 0) random.fill(into.subarray(end - padding, end))
    return end
  }
}

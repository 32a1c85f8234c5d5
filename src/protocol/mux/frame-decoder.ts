/**
 * The receiving side of a carrier: frames out of bytes in any split. Units that are held until they are complete: the
 * length of the metadata, the metadata, the length of the data, and data that is wanted in one piece. Nothing is held
 * between frames, and never more than came in.
 */
import { ProxyError } from '../../core/errors.ts'
import { CutOff } from '../wire/cut-off.ts'
import { MetadataReader } from './metadata.ts'
import { bareMetadata, type FrameEvents, metadataMax, optionBits } from './model.ts'

type State = 'length' | 'metadata' | 'size' | 'whole' | 'pieces' | 'skip'

const lengthField = 2

export class FrameDecoder {
  readonly #events: FrameEvents
  readonly #cutOff = new CutOff()
  readonly #metadata = new MetadataReader()
  #state: State = 'length'
  /** Bytes of the unit that comes next; of `pieces` and `skip` what is left of the data. */
  #unit = lengthField
  #stopped = false
  #failure: ProxyError | undefined

  constructor(events: FrameEvents) {
    this.#events = events
  }

  /** Bytes held of a unit that is not complete. */
  get held(): number {
    return this.#cutOff.length
  }

  /**
   * Uses `batch` up from `at` on, all of it unless stop() is called; returns the offset up to which it did. That part is
   * free for other use afterwards.
   * @throws ProxyError MUX_MALFORMED where the frames cannot be told apart any more; then again at every call
   */
  push(batch: Uint8Array, at = 0): number {
    if (this.#failure !== undefined) throw this.#failure
    this.#stopped = false
    while (at < batch.length && !this.#stopped) {
      at = this.#state === 'pieces' || this.#state === 'skip' ? this.#pass(batch, at) : this.#gather(batch, at)
    }
    return at
  }

  /** To be called by an event: what is behind it has to wait for the next push(). */
  stop(): void {
    this.#stopped = true
  }

  /** To be called when the carrier ends. @throws ProxyError TRUNCATED inside a frame, or what push() threw */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#state === 'length' && this.#cutOff.length === 0) return
    throw this.#fail('TRUNCATED', 'the carrier ended inside a frame')
  }

  #pass(batch: Uint8Array, at: number): number {
    const end = Math.min(batch.length, at + this.#unit)
    this.#unit -= end - at
    const wanted = this.#state === 'pieces'
    if (this.#unit === 0) this.#next('length', lengthField)
    if (wanted) this.#events.data(batch.subarray(at, end))
    return end
  }

  #gather(batch: Uint8Array, at: number): number {
    const end = at + this.#unit - this.#cutOff.length
    if (end > batch.length) {
      this.#cutOff.add(batch, at)
      return batch.length
    }
    if (this.#cutOff.length === 0) {
      this.#take(batch, at, end)
    } else if (this.#state === 'whole') {
      this.#cutOff.add(batch.subarray(0, end), at)
      const held = this.#cutOff.take()
      this.#take(held, 0, held.length)
    } else {
      const joined = this.#cutOff.join(batch.subarray(at), end - at)
      this.#take(joined, 0, joined.length)
    }
    return end
  }

  /** Uses up the unit bytes[at, end), which is complete. */
  #take(bytes: Uint8Array, at: number, end: number): void {
    switch (this.#state) {
      case 'length':
        this.#takeLength((bytes[at]! << 8) | bytes[at + 1]!)
        break
      case 'metadata':
        this.#takeMetadata(bytes, at, end)
        break
      case 'size':
        this.#begin((bytes[at]! << 8) | bytes[at + 1]!)
        break
      default:
        this.#next('length', lengthField)
        this.#events.data(bytes.subarray(at, end))
    }
  }

  #takeLength(length: number): void {
    if (length < bareMetadata || length > metadataMax) {
      throw this.#fail('MUX_MALFORMED', `metadata of ${length} bytes; ${bareMetadata} to ${metadataMax} make sense`)
    }
    this.#next('metadata', length)
  }

  #takeMetadata(bytes: Uint8Array, at: number, end: number): void {
    if (!this.#metadata.read(bytes, at, end)) throw this.#fail('MUX_MALFORMED', `unknown status ${bytes[at + 2]}`)
    if (bytes[at + 3]! & optionBits.data) this.#next('size', lengthField)
    else this.#begin(0)
  }

  #begin(dataLength: number): void {
    this.#metadata.dataLength = dataLength
    const use = this.#events.frame(this.#metadata)
    if (dataLength === 0) this.#next('length', lengthField)
    else this.#next(use, dataLength)
  }

  #next(state: State, unit: number): void {
    this.#state = state
    this.#unit = unit
  }

  #fail(code: 'MUX_MALFORMED' | 'TRUNCATED', message: string): ProxyError {
    this.#cutOff.clear()
    this.#failure = new ProxyError(code, message)
    return this.#failure
  }
}

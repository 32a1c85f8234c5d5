/** The content of a body that arrives in lent batches: what frames it is taken out in place, so nothing is copied or kept. */

import { ProxyError } from '../../core/errors.ts'
import type { Framing } from './framing.ts'
import { type MessageKind, unacceptable } from './problems.ts'

const CR = 0x0d
const LF = 0x0a

/** A chunk's size line with its extensions, and all trailers together, bytes. */
const LINE_MAX = 4096
const TRAILERS_MAX = 8192

/** What comes next in a chunked body. */
type State = 'size' | 'extension' | 'data' | 'data end' | 'trailers'

export class BodyReader {
  readonly #kind: MessageKind
  readonly #framing: 'none' | 'length' | 'chunked' | 'close'
  #state: State = 'size'
  /** Bytes of the body, or of the chunk, that are to come. */
  #left: number
  /** Bytes of the line, or the trailers, that is being read. */
  #line = 0
  #digits = 0
  #lineStart = true
  #done: boolean

  constructor(kind: MessageKind, framing: Framing) {
    this.#kind = kind
    this.#framing = framing.kind === 'unsure' ? 'close' : framing.kind
    this.#left = framing.kind === 'length' ? framing.length : 0
    this.#done = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0)
  }

  /** True when the body is complete; one that lasts to the end of the connection is after end(). */
  get done(): boolean {
    return this.#done
  }

  /**
   * The content in `bytes`, which it changes: a part of them, empty where all of it was framing. What comes behind the body is
   * dropped. Throws HTTP_BAD_REQUEST or HTTP_BAD_RESPONSE.
   */
  read(bytes: Uint8Array): Uint8Array {
    if (this.#done) return bytes.subarray(0, 0)
    if (this.#framing === 'close') return bytes
    if (this.#framing === 'chunked') return this.#chunks(bytes)
    const content = bytes.subarray(0, this.#left)
    this.#left -= content.length
    this.#done = this.#left === 0
    return content
  }

  /** The sender ended. Throws TRUNCATED if the body was not complete. */
  end(): void {
    if (this.#framing === 'close') this.#done = true
    if (!this.#done) throw new ProxyError('TRUNCATED', 'the sender ended inside an HTTP body')
  }

  #chunks(bytes: Uint8Array): Uint8Array {
    // The first piece stays where it is: in most batches it is the only one.
    let from = 0
    let to = 0
    for (let at = 0; at < bytes.length && !this.#done; ) {
      if (this.#state !== 'data') {
        this.#frame(bytes[at++]!)
        continue
      }
      const end = Math.min(bytes.length, at + this.#left)
      this.#left -= end - at
      if (to === from) from = to = at
      else if (to !== at) bytes.copyWithin(to, at, end)
      to += end - at
      at = end
      if (this.#left === 0) this.#enter('data end')
    }
    return bytes.subarray(from, to)
  }

  #enter(state: State): void {
    this.#state = state
    this.#line = 0
    this.#digits = 0
    this.#lineStart = true
  }

  #frame(byte: number): void {
    if (++this.#line > (this.#state === 'trailers' ? TRAILERS_MAX : LINE_MAX))
      throw this.#bad('a line of a chunked body')
    if (this.#state === 'size') this.#size(byte)
    else if (this.#state === 'extension') this.#extension(byte)
    else if (this.#state === 'data end') this.#dataEnd(byte)
    else this.#trailer(byte)
  }

  #size(byte: number): void {
    const digit = hexValue(byte)
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit
      if (++this.#digits > 12) throw this.#bad('the size of a chunk')
      return
    }
    if (this.#digits === 0) throw this.#bad('the size of a chunk')
    this.#state = 'extension'
    this.#extension(byte)
  }

  #extension(byte: number): void {
    if (byte === LF) this.#enter(this.#left === 0 ? 'trailers' : 'data')
  }

  #dataEnd(byte: number): void {
    if (byte === LF) this.#enter('size')
    else if (byte !== CR || this.#line > 1) throw this.#bad('the end of a chunk')
  }

  /** Ends with an empty line. */
  #trailer(byte: number): void {
    if (byte === LF && this.#lineStart) this.#done = true
    else if (byte === LF) this.#lineStart = true
    else if (byte !== CR) this.#lineStart = false
  }

  readonly #bad = (what: string): ProxyError => unacceptable(this.#kind, what)
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

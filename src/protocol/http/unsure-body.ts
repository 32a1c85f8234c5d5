import { join } from '../wire/join.ts'
import { type Body, BodyRelay } from './body.ts'

/** The longest first line that is taken for a chunk's size, bytes: some servers fill a short number up with blanks. */
const SIZE_LINE_MAX = 20

/**
 * A body that a server of HTTP/1.0 says is chunked. It is when its first line is a chunk's size; then its chunks are taken
 * off. Else it is passed on as it came, to the end of the connection.
 */
export class UnsureBody implements Body {
  #first: Uint8Array = new Uint8Array(0)
  #body: Body | undefined

  get done(): boolean {
    return this.#body?.done ?? false
  }

  push(bytes: Uint8Array): { used: number; out: Uint8Array } {
    if (this.#body) return this.#body.push(bytes)
    const seen = join([this.#first, bytes])
    this.#first = seen
    const end = seen.subarray(0, SIZE_LINE_MAX).indexOf(0x0a)
    if (end < 0 && seen.length < SIZE_LINE_MAX && couldBeSize(seen))
      return { used: bytes.length, out: seen.subarray(0, 0) }
    const chunked = end > 0 && /^[0-9A-Fa-f]{1,12} *\r?$/.test(String.fromCharCode(...seen.subarray(0, end)))
    const framing = { kind: chunked ? 'chunked' : 'close' } as const
    this.#body = new BodyRelay('response', framing, { plain: true })
    const { used, out } = this.#body.push(seen)
    return { used: bytes.length - (seen.length - used), out }
  }

  end(): Uint8Array {
    if (this.#body) return this.#body.end()
    this.#body = new BodyRelay('response', { kind: 'close' })
    this.#body.end()
    return this.#first
  }
}

const couldBeSize = (bytes: Uint8Array): boolean => /^[0-9A-Fa-f]{0,12} *\r?$/.test(String.fromCharCode(...bytes))

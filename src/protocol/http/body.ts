/**
 * Where a message's body ends (RFC 9112, section 6), and its way through the proxy: read in the framing it came in,
 * written in the framing it goes on in, with nothing kept in between but a cut-off chunk line.
 */

import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import { headerOf } from './head.ts'
import { type Header, tokensOf, valuesOf, withoutHopByHop } from './headers.ts'
import { bytesOf, join, textOf } from './text.ts'

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Until the connection ends. */
  | { readonly kind: 'close' }

/** Throws HTTP_BAD_REQUEST where two readers could disagree. */
export function requestFraming(head: RequestHead): Framing {
  return declaredFraming(head) ?? { kind: 'none' }
}

/** `method` is that of the request. Throws HTTP_BAD_REQUEST where two readers could disagree. */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const declared = declaredFraming(head) ?? { kind: 'close' }
  const bodiless = method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304
  return bodiless ? { kind: 'none' } : declared
}

function declaredFraming({ headers, minor }: RequestHead | ResponseHead): Framing | undefined {
  const codings = tokensOf(headers, 'Transfer-Encoding')
  const lengths = new Set(valuesOf(headers, 'Content-Length').flatMap((value) => value.split(',').map((s) => s.trim())))
  if (headers.some(({ name }) => name === 'Transfer-Encoding')) {
    if (codings.length !== 1 || codings[0] !== 'chunked') throw bad('a transfer coding other than chunked')
    if (lengths.size > 0) throw bad('both Transfer-Encoding and Content-Length')
    if (minor === 0) throw bad('Transfer-Encoding in HTTP/1.0')
    return { kind: 'chunked' }
  }
  if (lengths.size === 0) return undefined
  const [text] = lengths
  if (lengths.size > 1 || !/^\d{1,15}$/.test(text!)) throw bad('Content-Length')
  return { kind: 'length', length: Number(text) }
}

type ChunkState = 'size' | 'data' | 'data end' | 'trailers'

/** A chunk's size line with its extensions, which are dropped. */
const CHUNK_LINE_MAX = 4096

/** Takes a body in one framing and gives it in the same or, `plain`, without chunk lines. */
export class BodyRelay {
  readonly #framing: Framing
  readonly #plain: boolean
  #left: number
  #state: ChunkState = 'size'
  #line: number[] = []
  #trailers: Header[] = []
  #trailerBytes = 0
  #done: boolean

  constructor(framing: Framing, { plain = false } = {}) {
    this.#framing = framing
    this.#plain = plain
    this.#left = framing.kind === 'length' ? framing.length : 0
    this.#done = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0)
  }

  /** True when the body is complete; with framing `close` only after end(). */
  get done(): boolean {
    return this.#done
  }

  /**
   * Takes from the front of `bytes` what belongs to the body. `out` is to be sent on; it may be a part of `bytes` and
   * may be empty. Throws HTTP_BAD_REQUEST.
   */
  push(bytes: Uint8Array): { used: number; out: Uint8Array } {
    if (this.#framing.kind === 'chunked') return this.#chunks(bytes)
    const used = this.#done ? 0 : this.#framing.kind === 'close' ? bytes.length : Math.min(this.#left, bytes.length)
    if (this.#framing.kind === 'length') {
      this.#left -= used
      this.#done = this.#left === 0
    }
    return { used, out: bytes.subarray(0, used) }
  }

  /** The sender ended. Throws TRUNCATED if the body was not complete. */
  end(): void {
    if (this.#framing.kind === 'close') this.#done = true
    if (!this.#done) throw new ProxyError('TRUNCATED', 'the sender ended inside an HTTP body')
  }

  #chunks(bytes: Uint8Array): { used: number; out: Uint8Array } {
    const out: Uint8Array[] = []
    let at = 0
    let data = 0
    while (at < bytes.length && !this.#done) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left)
        at += piece.length
        data += piece.length
        this.#left -= piece.length
        out.push(...this.#chunk(piece))
        if (this.#left === 0) this.#state = 'data end'
      } else {
        const line = this.#lineFrom(bytes[at++]!)
        if (line !== undefined) this.#onLine(line)
      }
    }
    if (this.#done && !this.#plain) out.push(this.#lastChunk())
    return { used: at, out: data === 0 && out.length === 0 ? bytes.subarray(0, 0) : join(out) }
  }

  #chunk(piece: Uint8Array): Uint8Array[] {
    return this.#plain ? [piece] : [bytesOf(`${piece.length.toString(16)}\r\n`), piece, CRLF]
  }

  #lastChunk(): Uint8Array {
    const allowed = withoutHopByHop(this.#trailers, []).filter(({ name }) => !NOT_IN_TRAILERS.has(name))
    return bytesOf(`0\r\n${allowed.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}\r\n`)
  }

  /** Collects one line, which has to end with CR LF; undefined while it is not whole. */
  #lineFrom(byte: number): string | undefined {
    const last = this.#line.at(-1)
    if ((byte === 0x0a) !== (last === 0x0d)) throw bad('a line end in a chunked body')
    if (byte !== 0x0a) {
      if (this.#line.push(byte) > CHUNK_LINE_MAX) throw bad('a line of a chunked body')
      return undefined
    }
    const line = textOf(Uint8Array.from(this.#line.slice(0, -1)))
    this.#line = []
    return line
  }

  #onLine(line: string): void {
    if (this.#state === 'size') {
      const match = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?$/.exec(line)
      if (!match) throw bad('the size of a chunk')
      this.#left = Number.parseInt(match[1]!, 16)
      this.#state = this.#left === 0 ? 'trailers' : 'data'
    } else if (this.#state === 'data end') {
      if (line !== '') throw bad('the end of a chunk')
      this.#state = 'size'
    } else if (line === '') {
      this.#done = true
    } else {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > limits.requestHeadMax) throw bad('trailers of this length')
      this.#trailers.push(headerOf(line))
    }
  }
}

const CRLF = Uint8Array.of(0x0d, 0x0a)

/** Fields that would change how the message was read, had they stood in its head (RFC 9110, section 6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'Content-Length',
  'Host',
  'Content-Encoding',
  'Content-Type',
  'Set-Cookie',
])

const bad = (what: string): ProxyError =>
  new ProxyError('HTTP_BAD_REQUEST', `not acceptable in an HTTP message: ${what}`)

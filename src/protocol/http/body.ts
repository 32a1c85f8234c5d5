/**
 * A message's body on its way through the proxy: read in the framing it came in, written in the framing it goes on in,
 * with nothing kept in between but a cut-off chunk line.
 */

import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { join } from '../wire/join.ts'
import type { Framing } from './framing.ts'
import { trailersFrom } from './head.ts'
import { withoutHopByHop } from './headers.ts'
import { type MessageKind, unacceptable } from './problems.ts'
import { bytesOf, textOf } from './text.ts'

export interface Body {
  /** True when the body is complete; one that lasts to the end of the connection is after end(). */
  readonly done: boolean
  /**
   * Takes from the front of `bytes` what belongs to the body. `out` is to be sent on; it may be a part of `bytes` and
   * may be empty. Throws HTTP_BAD_REQUEST or HTTP_BAD_RESPONSE.
   */
  push(bytes: Uint8Array): { used: number; out: Uint8Array }
  /** The sender ended. Gives what is still to be sent on. Throws TRUNCATED if the body was not complete. */
  end(): Uint8Array
}

type ChunkState = 'size' | 'data' | 'data end' | 'trailers'

/** A chunk's size line with its extensions, which are dropped. */
const CHUNK_LINE_MAX = 4096

/**
 * Takes a body in one framing and gives it in the same or, `plain`, without chunk lines. In a response chunk lines may
 * end with a bare LF: they are written anew, so nobody behind us can read them differently.
 */
export class BodyRelay implements Body {
  readonly #kind: MessageKind
  readonly #framing: Framing
  readonly #plain: boolean
  #left: number
  #state: ChunkState = 'size'
  #line: number[] = []
  #trailers: string[] = []
  #trailerBytes = 0
  #done: boolean

  constructor(kind: MessageKind, framing: Framing, { plain = false } = {}) {
    this.#kind = kind
    this.#framing = framing
    this.#plain = plain
    this.#left = framing.kind === 'length' ? framing.length : 0
    this.#done = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0)
  }

  get done(): boolean {
    return this.#done
  }

  push(bytes: Uint8Array): { used: number; out: Uint8Array } {
    if (this.#framing.kind === 'chunked') return this.#chunks(bytes)
    const used = this.#done ? 0 : this.#framing.kind === 'close' ? bytes.length : Math.min(this.#left, bytes.length)
    if (this.#framing.kind === 'length') {
      this.#left -= used
      this.#done = this.#left === 0
    }
    return { used, out: bytes.subarray(0, used) }
  }

  end(): Uint8Array {
    if (this.#framing.kind === 'close') this.#done = true
    if (!this.#done) throw new ProxyError('TRUNCATED', 'the sender ended inside an HTTP body')
    return new Uint8Array(0)
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
    const allowed = withoutHopByHop(trailersFrom(this.#trailers, this.#kind), []).filter(
      ({ name }) => !NOT_IN_TRAILERS.has(name),
    )
    return bytesOf(`0\r\n${allowed.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}\r\n`)
  }

  /** Collects one line; undefined while it is not whole. */
  #lineFrom(byte: number): string | undefined {
    const afterCr = this.#line.at(-1) === CR
    if (byte === LF ? !afterCr && this.#kind === 'request' : afterCr) throw this.#bad('a line end in a chunked body')
    if (byte !== LF) {
      if (this.#line.push(byte) > CHUNK_LINE_MAX) throw this.#bad('a line of a chunked body')
      return undefined
    }
    const line = textOf(Uint8Array.from(afterCr ? this.#line.slice(0, -1) : this.#line))
    this.#line = []
    return line
  }

  #onLine(line: string): void {
    if (this.#state === 'size') {
      const match = /^0*([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?$/.exec(line)
      if (!match) throw this.#bad('the size of a chunk')
      this.#left = Number.parseInt(match[1]!, 16)
      this.#state = this.#left === 0 ? 'trailers' : 'data'
    } else if (this.#state === 'data end') {
      if (line !== '') throw this.#bad('the end of a chunk')
      this.#state = 'size'
    } else if (line === '') {
      this.#done = true
    } else {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > this.#trailersMax) throw this.#bad('trailers of this length')
      this.#trailers.push(line)
    }
  }

  get #trailersMax(): number {
    return this.#kind === 'request' ? limits.requestHeadMax : limits.responseHeadMax
  }

  readonly #bad = (what: string): ProxyError => unacceptable(this.#kind, what)
}

const CR = 0x0d
const LF = 0x0a
const CRLF = Uint8Array.of(CR, LF)

/** Fields that would change how the message was read, had they stood in its head (RFC 9110, section 6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'Content-Length',
  'Host',
  'Content-Encoding',
  'Content-Type',
  'Set-Cookie',
])

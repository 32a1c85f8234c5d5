import { limits } from '../../core/limits.ts'
import { BadRequest, type MessageKind, unacceptable } from './problems.ts'
import { textOf } from './text.ts'

const CR = 0x0d
const LF = 0x0a
const TAB = 0x09

/** A server that speaks first and is no HTTP server is recognised by its first bytes, not after a time-out. */
const RESPONSE_BEGINS = 'HTTP/1.'

/**
 * Collects the bytes of one head, cut anywhere. Lines end with CR LF or a bare LF (RFC 9112, section 2.2). A request with
 * a bare CR or another control character is refused at once; a response may have them, and its reader makes them blanks.
 */
export class HeadCollector {
  readonly #kind: MessageKind
  readonly #max: number
  #bytes = new Uint8Array(512)
  #length = 0
  /** Bytes of the line that is being read, without its line end. */
  #line = 0
  #lines = 0
  #previous = -1

  /** `max`: bytes that the head may have; `limits.requestHeadMax` or `limits.responseHeadMax` unless given. */
  constructor(kind: MessageKind, max: number = kind === 'request' ? limits.requestHeadMax : limits.responseHeadMax) {
    this.#kind = kind
    this.#max = max
  }

  /** True once a byte of the head itself came; empty lines in front of it are skipped. */
  get started(): boolean {
    return this.#length > 0
  }

  /** Whether what came begins as a request does: its sender speaks HTTP, and understands an answer. */
  get beginsAsRequest(): boolean {
    return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ /.test(textOf(this.#bytes.subarray(0, Math.min(this.#length, 64))))
  }

  /**
   * How many of `bytes` belong to the head, and whether it ends there. Throws HTTP_BAD_REQUEST or HTTP_BAD_RESPONSE, also
   * above the limit.
   */
  push(bytes: Uint8Array): { used: number; complete: boolean } {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#take(bytes[i]!)) return { used: i + 1, complete: true }
    }
    return { used: bytes.length, complete: false }
  }

  /** What was collected: the whole head with its empty line. Valid until the next push. */
  get head(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #take(byte: number): boolean {
    if (this.#kind === 'request') this.#checkRequest(byte)
    this.#previous = byte
    const lineEnd = byte === CR || byte === LF
    if (lineEnd && this.#lines === 0 && this.#line === 0) return false
    const expected = this.#kind === 'response' ? RESPONSE_BEGINS.charCodeAt(this.#length) : Number.NaN
    if (byte !== expected && !Number.isNaN(expected)) throw unacceptable('response', 'the beginning of the status line')
    this.#store(byte)
    if (!lineEnd) this.#line++
    if (byte !== LF) return false
    const empty = this.#line === 0
    this.#lines++
    this.#line = 0
    return empty
  }

  #checkRequest(byte: number): void {
    if (this.#previous === CR && byte !== LF) throw unacceptable('request', 'a carriage return without a line feed')
    if ((byte < 0x20 && byte !== CR && byte !== LF && byte !== TAB) || byte === 0x7f)
      throw unacceptable('request', 'a control character')
  }

  #store(byte: number): void {
    if (this.#length >= this.#max) throw this.#tooLong()
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = byte
  }

  #tooLong(): Error {
    const what = `a head of more than ${this.#max} bytes`
    if (this.#kind === 'response') return unacceptable('response', what)
    return new BadRequest(`the request cannot be served: ${what}`, 431)
  }
}

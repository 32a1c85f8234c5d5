/**
 * Heads of requests and responses (RFC 9112), strict where two readers could disagree on where a message ends: no
 * folded lines, no bare carriage returns, no white space before a colon, no control characters.
 */

import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { canonicalName, type Header } from './headers.ts'
import { textOf } from './text.ts'

export interface RequestHead {
  readonly method: string
  /** As sent: origin form, absolute URI, authority (CONNECT) or `*`. */
  readonly target: string
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and later minor versions. */
  readonly minor: 0 | 1
  readonly headers: readonly Header[]
}

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly minor: 0 | 1
  readonly headers: readonly Header[]
}

const CR = 0x0d
const LF = 0x0a
const TAB = 0x09

/** A server that speaks first and is no HTTP server is recognised by its first bytes, not after a time-out. */
const RESPONSE_BEGINS = 'HTTP/1.'

/**
 * Collects the bytes of one head, cut anywhere. A response's lines may end with a bare line feed (V2Ray's blackhole
 * writes them so); a request's may not.
 */
export class HeadCollector {
  readonly #kind: 'request' | 'response'
  #bytes = new Uint8Array(512)
  #length = 0
  /** Bytes of the line that is being read, without its line end. */
  #line = 0
  #lines = 0
  #previous = -1

  constructor(kind: 'request' | 'response') {
    this.#kind = kind
  }

  /** True once a byte of the head itself came; empty lines in front of it are skipped. */
  get started(): boolean {
    return this.#length > 0
  }

  /**
   * How many of `bytes` belong to the head, and whether it ends there. Throws HTTP_BAD_REQUEST, also above
   * `limits.requestHeadMax` bytes.
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
    if (this.#previous === CR && byte !== LF) throw bad('a carriage return without a line feed')
    if (byte === LF && this.#previous !== CR && this.#kind === 'request')
      throw bad('a line feed without a carriage return')
    if ((byte < 0x20 && byte !== CR && byte !== LF && byte !== TAB) || byte === 0x7f) throw bad('a control character')
    this.#previous = byte
    const lineEnd = byte === CR || byte === LF
    if (lineEnd && this.#lines === 0 && this.#line === 0) return false
    const expected = this.#kind === 'response' ? RESPONSE_BEGINS.charCodeAt(this.#length) : Number.NaN
    if (byte !== expected && !Number.isNaN(expected)) throw bad('the beginning of the status line')
    this.#store(byte)
    if (!lineEnd) this.#line++
    if (byte !== LF) return false
    const empty = this.#line === 0
    this.#lines++
    this.#line = 0
    return empty
  }

  #store(byte: number): void {
    if (this.#length >= limits.requestHeadMax) throw bad(`a head of more than ${limits.requestHeadMax} bytes`)
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = byte
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Reads a whole head of a request. Throws HTTP_BAD_REQUEST. */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const [first = '', ...lines] = linesIn(bytes)
  const match = /^(\S+) (\S+) HTTP\/1\.(\d)$/.exec(first)
  if (!match || !TOKEN.test(match[1]!)) throw bad('the request line')
  return { method: match[1]!, target: match[2]!, minor: match[3] === '0' ? 0 : 1, headers: lines.map(headerOf) }
}

/** Reads a whole head of a response. Throws HTTP_BAD_REQUEST. */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const [first = '', ...lines] = linesIn(bytes)
  const match = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: (.*))?$/.exec(first)
  if (!match) throw bad('the status line')
  return {
    status: Number(match[2]),
    reason: match[3] ?? '',
    minor: match[1] === '0' ? 0 : 1,
    headers: lines.map(headerOf),
  }
}

/** Lines of a head or of trailers, without line ends and without the empty one at the end. */
export const linesIn = (bytes: Uint8Array): string[] => {
  const lines = textOf(bytes).split(/\r?\n/)
  return lines.filter((line) => line !== '')
}

export function headerOf(line: string): Header {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  if (!TOKEN.test(name)) throw bad('a header name')
  return { name: canonicalName(name), value: trimmed(line.slice(colon + 1)) }
}

/** Without spaces and tabs at both ends; nothing else, unlike String.trim(). */
function trimmed(text: string): string {
  let from = 0
  let to = text.length
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t'
  while (from < to && blank(from)) from++
  while (to > from && blank(to - 1)) to--
  return text.slice(from, to)
}

const bad = (what: string): ProxyError => new ProxyError('HTTP_BAD_REQUEST', `not acceptable in an HTTP head: ${what}`)

/** Where a message's body ends (RFC 9112, section 6). */

import type { RequestHead, ResponseHead } from './head.ts'
import { type Header, tokensOf, valuesOf } from './headers.ts'
import { type MessageKind, unacceptable } from './problems.ts'
import { trimmed } from './text.ts'

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Until the connection ends. */
  | { readonly kind: 'close' }
  /** Said to be coded by a server of HTTP/1.0, which has no codings: the body's first bytes tell (UnsureBody). */
  | { readonly kind: 'unsure' }

/** Throws HTTP_BAD_REQUEST where two readers could disagree. */
export function requestFraming({ headers, minor }: RequestHead): Framing {
  const lengths = lengthsIn(headers)
  if (valuesOf(headers, 'Transfer-Encoding').length === 0) return lengthFraming('request', lengths) ?? { kind: 'none' }
  const codings = tokensOf(headers, 'Transfer-Encoding')
  if (codings.length !== 1 || codings[0] !== 'chunked') throw unacceptable('request', 'a transfer coding but chunked')
  if (lengths.length > 0) throw unacceptable('request', 'both Transfer-Encoding and Content-Length')
  if (minor === 0) throw unacceptable('request', 'Transfer-Encoding in HTTP/1.0')
  return { kind: 'chunked' }
}

/**
 * `method` is that of the request. A coding goes before a length, which then is not passed on. Throws HTTP_BAD_RESPONSE
 * for a coding that cannot be taken off, and for several lengths.
 */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const declared = declaredFraming(head)
  const bodiless = method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304
  return bodiless ? { kind: 'none' } : declared
}

function declaredFraming({ headers, minor }: ResponseHead): Framing {
  // `identity` was the name of having no coding (RFC 2616).
  const codings = new Set(tokensOf(headers, 'Transfer-Encoding').filter((coding) => coding !== 'identity'))
  if (codings.size > 0 && minor === 0) return { kind: 'unsure' }
  if (codings.size > 1 || (codings.size === 1 && !codings.has('chunked')))
    throw unacceptable('response', 'a transfer coding but chunked')
  if (codings.size === 1) return { kind: 'chunked' }
  const lengths = lengthsIn(headers).filter((text) => text !== '')
  return lengthFraming('response', lengths) ?? { kind: 'close' }
}

function lengthFraming(kind: MessageKind, lengths: readonly string[]): Framing | undefined {
  const [text] = lengths
  if (text === undefined) return undefined
  if (lengths.some((other) => other !== text)) throw unacceptable(kind, 'several values of Content-Length')
  if (!/^\d{1,15}$/.test(text)) throw unacceptable(kind, 'its Content-Length')
  return { kind: 'length', length: Number(text) }
}

const lengthsIn = (headers: readonly Header[]): string[] =>
  valuesOf(headers, 'Content-Length').flatMap((value) => value.split(',').map(trimmed))

/** Whether the receiver of a message that is passed on in this framing sees its end without the end of the connection. */
export const isDelimited = ({ kind }: Framing): boolean => kind === 'none' || kind === 'length' || kind === 'chunked'

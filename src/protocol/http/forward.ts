/** The heads that a proxy sends on, with the order and the treatment of headers that V2Ray 4.34 has. */

import type { Framing } from './body.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import { type Header, linesOf, tokensOf, valuesOf, withoutHopByHop } from './headers.ts'
import type { HttpTarget } from './target.ts'
import { bytesOf } from './text.ts'

/** The request as the origin gets it: origin form, `Host` and the framing first, the rest sorted by name. */
export function forwardedRequest(head: RequestHead, target: HttpTarget, framing: Framing): Uint8Array {
  const kept = withoutHopByHop(head.headers)
  const rest = kept.filter(({ name }) => !WRITTEN_FIRST.has(name))
  return bytesOf(
    `${head.method} ${target.path} HTTP/1.1\r\nHost: ${target.authority}\r\n` +
      linesOf(kept.filter(({ name }) => name === 'User-Agent')) +
      framingLine(framing) +
      `${linesOf([...rest, { name: 'Connection', value: 'close' }])}\r\n`,
  )
}

const WRITTEN_FIRST: ReadonlySet<string> = new Set(['Host', 'User-Agent', 'Content-Length'])

/**
 * The response as the client gets it. An answer of known length offers keep-alive even to a client that did not ask for
 * it; any other is followed by the end of the connection.
 */
export function forwardedResponse(head: ResponseHead, framing: Framing, { dechunked = false } = {}): Uint8Array {
  const kept = withoutHopByHop(head.headers, connectionNames(head.headers)).filter(
    ({ name }) => name !== 'Content-Length',
  )
  const status = `HTTP/1.1 ${head.status} ${head.reason}\r\n`
  if (!isReusable(framing)) {
    const coding = framing.kind === 'chunked' && !dechunked ? framingLine(framing) : ''
    return bytesOf(`${status}Connection: close\r\n${coding}${linesOf(kept)}\r\n`)
  }
  const rest = kept.filter(({ name }) => name !== 'Keep-Alive')
  return bytesOf(`${status}${lengthLine(head, framing)}${linesOf([...rest, ...KEEP_ALIVE])}\r\n`)
}

/** Of a message without a body the length is information: what HEAD asks for. */
function lengthLine(head: ResponseHead, framing: Framing): string {
  if (framing.kind !== 'none') return framingLine(framing)
  const [length] = valuesOf(head.headers, 'Content-Length')
  return length === undefined ? '' : `Content-Length: ${length}\r\n`
}

/** Whether the connection can carry another message after one that ends like this. */
export const isReusable = (framing: Framing): boolean => framing.kind === 'none' || framing.kind === 'length'

/** Whether the client wants to send another request: only the proxy's own header counts, in every HTTP version. */
export const wantsKeepAlive = (head: RequestHead): boolean =>
  valuesOf(head.headers, 'Proxy-Connection').some((value) => value.toLowerCase() === 'keep-alive')

/** `:method`, `:path` (without its query) and the first value of every header in lower case, for routing rules. */
export function routingAttributes(head: RequestHead, target: HttpTarget): Record<string, string> {
  const headers = withoutHopByHop(head.headers).filter(({ name }) => name !== 'Host')
  return Object.fromEntries([
    ...headers.reverse().map(({ name, value }) => [name.toLowerCase(), value]),
    [':method', head.method.toUpperCase()],
    [':path', target.path.replace(/\?.*$/, '')],
  ])
}

const KEEP_ALIVE: readonly Header[] = [
  { name: 'Connection', value: 'keep-alive' },
  { name: 'Keep-Alive', value: 'timeout=4' },
  { name: 'Proxy-Connection', value: 'keep-alive' },
]

/** V2Ray's HTTP reader forgets a response's `Connection` that says close, so what it names besides passes. */
function connectionNames(headers: readonly Header[]): string[] {
  const names = tokensOf(headers, 'Connection')
  return names.includes('close') ? [] : names
}

const framingLine = (framing: Framing): string => {
  if (framing.kind === 'chunked') return 'Transfer-Encoding: chunked\r\n'
  return framing.kind === 'length' ? `Content-Length: ${framing.length}\r\n` : ''
}

/** The heads that a proxy sends on, with the order and the treatment of headers that V2Ray 4.34 has. */

import type { Framing } from './framing.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import { type Header, linesOf, membersOf, tokensOf, valuesOf, withoutHopByHop } from './headers.ts'
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
      `${linesOf([...rest, ...connectionLines(upgradeOf(head))])}\r\n`,
  )
}

const connectionLines = (upgrade: string | undefined): Header[] =>
  upgrade === undefined
    ? [{ name: 'Connection', value: 'close' }]
    : [
        { name: 'Connection', value: 'Upgrade' },
        { name: 'Upgrade', value: upgrade },
      ]

const WRITTEN_FIRST: ReadonlySet<string> = new Set(['Host', 'User-Agent', 'Content-Length'])

/** How the client's connection goes on after a response. */
export interface ResponseManner {
  /** Another request may follow. */
  readonly keep: boolean
  /** Chunk lines were taken out of the body. */
  readonly dechunked?: boolean
}

/** The response as the client gets it. What it says about the connection is what happens to it. */
export function forwardedResponse(
  head: ResponseHead,
  framing: Framing,
  { keep, dechunked }: ResponseManner,
): Uint8Array {
  const kept = withoutHopByHop(head.headers, connectionNames(head.headers)).filter(
    ({ name }) => name !== 'Content-Length' && name !== 'Keep-Alive',
  )
  const body = dechunked ? '' : bodyLine(head, framing)
  if (!keep) return bytesOf(`${statusLine(head)}Connection: close\r\n${body}${linesOf(kept)}\r\n`)
  return bytesOf(`${statusLine(head)}${body}${linesOf([...kept, ...KEEP_ALIVE])}\r\n`)
}

/** A response before the final one. */
export const interimResponse = (head: ResponseHead): Uint8Array =>
  bytesOf(`${statusLine(head)}${linesOf(withoutHopByHop(head.headers))}\r\n`)

/** The response after which both ends speak what it names. */
export function switchingResponse(head: ResponseHead): Uint8Array {
  const kept = withoutHopByHop(head.headers, []).filter(({ name }) => name !== 'Content-Length')
  const upgrade = head.headers.filter(({ name }) => name === 'Upgrade')
  return bytesOf(`${statusLine(head)}${linesOf([...kept, ...upgrade, { name: 'Connection', value: 'Upgrade' }])}\r\n`)
}

const statusLine = (head: ResponseHead): string => `HTTP/1.1 ${head.status} ${head.reason}\r\n`

/** Of a message without a body the length is information: what HEAD asks for. */
function bodyLine(head: ResponseHead, framing: Framing): string {
  if (framing.kind !== 'none') return framingLine(framing)
  const [length] = valuesOf(head.headers, 'Content-Length')
  const coded = valuesOf(head.headers, 'Transfer-Encoding').length > 0
  return !coded && length && /^\d+$/.test(length) ? `Content-Length: ${length}\r\n` : ''
}

/**
 * Whether the client wants to send another request on this connection (RFC 9112, section 9.3): after HTTP/1.1 unless it
 * says close, after HTTP/1.0 if it says keep-alive. `Proxy-Connection` is what older clients say instead.
 */
export function wantsKeepAlive({ headers, minor }: RequestHead): boolean {
  const said = [...tokensOf(headers, 'Connection'), ...tokensOf(headers, 'Proxy-Connection')]
  return !said.includes('close') && (minor === 1 || said.includes('keep-alive'))
}

/**
 * The protocols that the client would switch to, as the origin is asked for them. Without `h2c`: its settings concern one
 * connection only and stay here, and no client needs it through a proxy.
 */
export function upgradeOf({ headers, minor }: RequestHead): string | undefined {
  if (minor === 0 || !tokensOf(headers, 'Connection').includes('upgrade')) return undefined
  const protocols = membersOf(headers, 'Upgrade').filter((protocol) => protocol.toLowerCase() !== 'h2c')
  return protocols.length > 0 ? protocols.join(', ') : undefined
}

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

/**
 * Answers for whoever is not meant: those of nginx 1.22.1 as Debian ships it, for a server without pages. Their form
 * depends on nothing but the request, so that a path that leads somewhere answers as one that does not.
 */

import type { RequestHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'

export const server = 'nginx/1.22.1'

const reasons = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Not Allowed',
  414: 'Request-URI Too Large',
  505: 'HTTP Version Not Supported',
} as const

export type NginxStatus = keyof typeof reasons

export interface NginxAnswer {
  /** Status line, headers and, but for HEAD, the page. */
  readonly bytes: Uint8Array
  /** Whether the connection is kept for a further request. */
  readonly keepAlive: boolean
}

/** What nginx says to a request that is well formed, and to one that only HTTP/1.1 forbids. */
export function answerTo(head: RequestHead, nowMs: number): NginxAnswer {
  const hosts = valuesOf(head.headers, 'Host')
  if (hosts.length > 1 || (head.minor === 1 && hosts.length === 0)) return refusal(400, nowMs)
  const status = head.method === 'TRACE' || head.method === 'CONNECT' ? 405 : 404
  const wishes = tokensOf(head.headers, 'Connection')
  const keepAlive = head.minor === 1 ? !wishes.includes('close') : wishes.includes('keep-alive')
  return { bytes: page(status, nowMs, { keepAlive, body: head.method !== 'HEAD' }), keepAlive }
}

/** What nginx says before it hangs up. `note` stands in title and page where nginx has more to say. */
export const refusal = (status: NginxStatus, nowMs: number, note?: string): NginxAnswer => ({
  bytes: page(status, nowMs, { keepAlive: false, body: true, note }),
  keepAlive: false,
})

interface PageOptions {
  readonly keepAlive: boolean
  readonly body: boolean
  readonly note?: string | undefined
}

function page(status: NginxStatus, nowMs: number, { keepAlive, body, note }: PageOptions): Uint8Array {
  const html = htmlOf(status, note)
  const head = [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    `Server: ${server}`,
    `Date: ${new Date(nowMs).toUTCString()}`,
    'Content-Type: text/html',
    `Content-Length: ${html.length}`,
    `Connection: ${keepAlive ? 'keep-alive' : 'close'}`,
    '',
    '',
  ].join('\r\n')
  return new TextEncoder().encode(body ? head + html : head)
}

/** The page of a status. ASCII. */
export function htmlOf(status: NginxStatus, note?: string): string {
  const line = `${status} ${reasons[status]}`
  return [
    '<html>',
    `<head><title>${note ? `${status} ${note}` : line}</title></head>`,
    '<body>',
    `<center><h1>${line}</h1></center>`,
    ...(note ? [`<center>${note}</center>`] : []),
    `<hr><center>${server}</center>`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n')
}

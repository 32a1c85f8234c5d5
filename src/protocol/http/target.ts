import { type Address, formatHost, parseHost } from '../../core/address.ts'
import type { RequestHead } from './head.ts'
import { valuesOf } from './headers.ts'
import { BadRequest } from './problems.ts'

export interface HttpTarget {
  readonly address: Address
  /** What the origin sees as `Host`: the authority as the client wrote it, without user information. */
  readonly authority: string
  /** Request target in origin form, as the origin sees it. */
  readonly path: string
}

/** Port of an authority that names none; V2Ray uses 80 for CONNECT too. */
const DEFAULT_PORT = { http: 80, https: 443 } as const

/**
 * Where a request goes: its authority (CONNECT) or absolute URI, which overrides the Host header; with `transparent` also
 * the Host header. `ws:` is `http:` whose request asks for an upgrade. Throws HTTP_BAD_REQUEST, with the reason, if that
 * names nothing that can be reached.
 */
export function targetOf(head: RequestHead, { transparent }: { transparent: boolean }): HttpTarget {
  if (head.method === 'CONNECT') return build(head.target, DEFAULT_PORT.http, '')
  const match = /^([a-z][a-z0-9+.-]{0,31}):\/\/([^/?#]*)([^#]*)/i.exec(head.target)
  if (match) {
    const authority = match[2]!.slice(match[2]!.lastIndexOf('@') + 1)
    const path = match[3]!
    return build(authority, portOf(match[1]!.toLowerCase()), path.startsWith('/') ? path : `/${path}`)
  }
  const hosts = valuesOf(head.headers, 'Host')
  const origin = head.target.startsWith('/') || (head.target === '*' && head.method === 'OPTIONS')
  if (!origin) throw new BadRequest('the request asks for no full URL that begins with http:// or ws://')
  if (!transparent) throw new BadRequest('this is a proxy: it is asked with a full URL or with CONNECT')
  if (hosts.length !== 1) throw new BadRequest('the request has no Host header, or several')
  return build(hosts[0]!, DEFAULT_PORT.http, head.target)
}

function portOf(scheme: string): number {
  if (scheme === 'http' || scheme === 'ws') return DEFAULT_PORT.http
  if (scheme === 'https') return DEFAULT_PORT.https
  if (scheme === 'wss') throw new BadRequest('wss: is encrypted to its end: ask for it with CONNECT')
  throw new BadRequest(`${scheme}: is not served here: the proxy knows http:, ws: and CONNECT`)
}

function build(authority: string, defaultPort: number, path: string): HttpTarget {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,255})(?::(\d{0,5}))?$/.exec(authority)
  const host = match ? parseHost(match[1]!) : undefined
  if (!match || !host || (match[1]!.startsWith('[') && host.kind === 'domain'))
    throw new BadRequest('the request names no host that can be reached')
  const port = match[2] ? Number(match[2]) : defaultPort
  if (port > 0xffff) throw new BadRequest('the request names a port above 65535')
  return { address: { host: formatHost(host), port }, authority, path }
}

import { type Address, formatHost, parseHost } from '../../core/address.ts'
import type { RequestHead } from './head.ts'
import { valuesOf } from './headers.ts'

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
 * the Host header. Undefined if that names nothing that can be reached: the request is refused with 400.
 */
export function targetOf(head: RequestHead, { transparent }: { transparent: boolean }): HttpTarget | undefined {
  if (head.method === 'CONNECT') return build(head.target, DEFAULT_PORT.http, '')
  const match = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(head.target)
  if (match) {
    const scheme = match[1]!.toLowerCase() as keyof typeof DEFAULT_PORT
    const authority = match[2]!.slice(match[2]!.lastIndexOf('@') + 1)
    const path = match[3]!
    return build(authority, DEFAULT_PORT[scheme], path.startsWith('/') ? path : `/${path}`)
  }
  const hosts = valuesOf(head.headers, 'Host')
  const origin = head.target.startsWith('/') || (head.target === '*' && head.method === 'OPTIONS')
  if (!transparent || !origin || hosts.length !== 1) return undefined
  return build(hosts[0]!, DEFAULT_PORT.http, head.target)
}

function build(authority: string, defaultPort: number, path: string): HttpTarget | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,255})(?::(\d{0,5}))?$/.exec(authority)
  if (!match) return undefined
  const host = parseHost(match[1]!)
  if (match[1]!.startsWith('[') && host.kind === 'domain') return undefined
  const port = match[2] ? Number(match[2]) : defaultPort
  return port > 0xffff ? undefined : { address: { host: formatHost(host), port }, authority, path }
}

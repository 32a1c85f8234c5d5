/**
 * CONNECT from the client's side (RFC 9110, section 9.3.6): bytes in, bytes out.
 *
 * What it throws is a ProxyError whose message goes on behind the name of the proxy: "answered 502 …".
 */

import { type Address, formatAddress } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { base64 } from '../wire/base64.ts'
import type { Login } from './credentials.ts'
import { parseResponseHead, type ResponseHead } from './head.ts'
import { HeadCollector } from './head-collector.ts'
import { valuesOf } from './headers.ts'
import { bytesOf } from './text.ts'

export interface ConnectAsk {
  readonly target: Address
  readonly login?: Login | undefined
  /** Further headers; one of the same name, in any case, takes the place of what would be written. Latin-1. */
  readonly headers: Readonly<Record<string, string>>
}

/** The request, as V2Ray and Xray write it. @throws ProxyError ADDRESS_INVALID for a target that no request line can hold */
export function connectRequest({ target, login, headers }: ConnectAsk): Uint8Array {
  const at = formatAddress(target)
  // A blank or a line end in a name would be the end of the request line.
  if (target.path !== undefined || !/^[0-9A-Za-z._:[\]-]+$/.test(at)) {
    throw new ProxyError('ADDRESS_INVALID', `cannot be asked for ${JSON.stringify(at)}: it is no host name`)
  }
  const fields = new Map<string, readonly [string, string]>([
    ['host', ['Host', at]],
    ['user-agent', ['User-Agent', 'Go-http-client/1.1']],
  ])
  if (login) {
    const token = base64(new TextEncoder().encode(`${login.user}:${login.pass}`))
    fields.set('proxy-authorization', ['Proxy-Authorization', `Basic ${token}`])
  }
  fields.set('proxy-connection', ['Proxy-Connection', 'Keep-Alive'])
  for (const [name, value] of Object.entries(headers)) fields.set(name.toLowerCase(), [name, value])
  const lines = [...fields.values()].map(([name, value]) => `${name}: ${value}\r\n`)
  return bytesOf(`CONNECT ${at} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** Reads what the proxy answers. */
export class ConnectAnswer {
  readonly #ask: ConnectAsk
  #collector = new HeadCollector('response')

  constructor(ask: ConnectAsk) {
    this.#ask = ask
  }

  /**
   * Takes the proxy's next bytes, cut anywhere. Gives what came behind the answer once that is there and agrees; until then
   * undefined. @throws ProxyError UPSTREAM_REFUSED and others
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    for (let rest = bytes; ; ) {
      const head = this.#collect(rest)
      if (!head) return undefined
      rest = rest.subarray(head.used)
      // Others, such as 103, come in front of the answer; 101 would be one to something else.
      const { status } = head.head
      if (status >= 200 && status < 300) return rest.slice()
      if (status >= 200 || status === 101) throw refusal(head.head, this.#ask)
      this.#collector = new HeadCollector('response')
    }
  }

  #collect(bytes: Uint8Array): { readonly head: ResponseHead; readonly used: number } | undefined {
    try {
      const { used, complete } = this.#collector.push(bytes)
      return complete ? { head: parseResponseHead(this.#collector.head), used } : undefined
    } catch (cause) {
      throw new ProxyError('UPSTREAM_BAD_ANSWER', 'gave an answer that is not HTTP', {
        cause,
        hint: 'is this the right port, and with or without TLS as the proxy has it?',
      })
    }
  }
}

function refusal({ status, reason, headers }: ResponseHead, { target, login }: ConnectAsk): ProxyError {
  const answer = `${status} ${reason.slice(0, 80)}`.trim()
  if (status === 407) {
    const schemes = valuesOf(headers, 'Proxy-Authenticate').map((value) => value.split(' ', 1)[0]!)
    const basic = schemes.length === 0 || schemes.some((scheme) => scheme.toLowerCase() === 'basic')
    const what = login ? 'refused the user or the password' : 'wants a user and a password'
    if (basic) {
      const hint = login ? undefined : 'write "users": [ { "user", "pass" } ]'
      return new ProxyError('UPSTREAM_UNAUTHORIZED', `${what} (${answer})`, { hint })
    }
    const known = schemes.map((scheme) => scheme.slice(0, 32)).join(', ')
    return new ProxyError('UPSTREAM_UNAUTHORIZED', `asks for a login by ${known}; only Basic is known here (${answer})`)
  }
  const code = status === 504 ? 'DIAL_TIMEOUT' : 'UPSTREAM_REFUSED'
  return new ProxyError(code, `refused to connect to ${formatAddress(target)}: ${answer}`)
}

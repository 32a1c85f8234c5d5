/**
 * The client side of SOCKS5 (RFC 1928, RFC 1929), SOCKS4 and SOCKS4a: bytes in, bytes out.
 *
 *     SOCKS5   05 01 method                        →  05 method            method 00 none, 02 name and password
 *              01 length user length password      →  01 status            0: right
 *              05 command 00 kind host port        →  05 code 00 kind host port
 *     SOCKS4   04 01 port ip[4] user 00 [name 00]  →  00 code port ip[4]   4a: ip 0.0.0.1, and the name behind
 *
 * What it throws is a ProxyError whose message goes on behind the name of the proxy: "refused …".
 */

import { type Address, formatAddress, formatHost, hostFromIP, parseHost } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { join } from '../wire/join.ts'
import { addressBytes, domainBytes } from './address.ts'
import { domainOf } from './domain.ts'
import { Input, more } from './input.ts'
import type { Login } from './logins.ts'
import { granted4, refusal4, refusal5 } from './refusals.ts'

export interface SocksAsk {
  readonly version: 5 | 4
  /** `associate`: datagrams, SOCKS5 only; `target` is then where they will be sent from, 0.0.0.0:0 if unknown. */
  readonly command: 'connect' | 'associate'
  /** SOCKS4 takes an IPv4 address or, as 4a, a name. */
  readonly target: Address
  /** SOCKS4 sends the name alone. */
  readonly login?: Login | undefined
  /** SOCKS5: the login goes out when the proxy has asked for it; otherwise with the first bytes, which saves a round trip. */
  readonly delayAuth?: boolean
}

export interface SocksClientStep {
  /** To be sent now; may be empty. */
  readonly send: Uint8Array
  /** The proxy has agreed: what it names as its end (BND.ADDR), for an association where datagrams are to be sent. */
  readonly bound?: Address
  /** With `bound`: what came behind the answer. */
  readonly rest?: Uint8Array
}

type State = 'method' | 'login' | 'reply5' | 'reply4' | 'done'

export class SocksClientHandshake {
  readonly #ask: SocksAsk
  /** The request, which is made first: what cannot be asked for is known before anything is sent. */
  readonly #request: Uint8Array
  #state: State
  #pending: Uint8Array = nothing

  /** @throws ProxyError ADDRESS_INVALID for a target or login that the version has no words for */
  constructor(ask: SocksAsk) {
    this.#ask = ask
    this.#state = ask.version === 5 ? 'method' : 'reply4'
    this.#request = ask.version === 5 ? request5(ask) : request4(ask)
    if (ask.version === 5 && ask.login) loginBytes(ask.login)
  }

  /** What to send before anything has come. */
  get first(): Uint8Array {
    const { version, login, delayAuth = false } = this.#ask
    if (version === 4) return this.#request
    if (!login) return Uint8Array.of(5, 1, 0)
    return join([Uint8Array.of(5, 1, 2), ...(delayAuth ? [] : [loginBytes(login)])])
  }

  /** Takes the proxy's next bytes, cut anywhere, and keeps no reference to them. @throws ProxyError UPSTREAM_REFUSED and others */
  push(bytes: Uint8Array): SocksClientStep {
    if (this.#state === 'done') throw new ProxyError('PROTOCOL_MISUSE', 'the SOCKS handshake is over')
    const input = new Input(join([this.#pending, bytes]))
    const sent: Uint8Array[] = []
    try {
      for (;;) {
        const { send, bound } = this.#unit(input)
        input.commit()
        sent.push(send)
        if (!bound) continue
        this.#state = 'done'
        this.#pending = nothing
        return { send: join(sent), bound, rest: input.rest() }
      }
    } catch (error) {
      if (error !== more) throw error
      this.#pending = input.rest()
      return { send: join(sent) }
    }
  }

  #unit(input: Input): SocksClientStep {
    switch (this.#state) {
      case 'method':
        return this.#method(input)
      case 'login':
        return this.#login(input)
      case 'reply5':
        return this.#reply5(input)
      default:
        return this.#reply4(input)
    }
  }

  #method(input: Input): SocksClientStep {
    const { login, delayAuth = false } = this.#ask
    mustBe(5, input.byte())
    const method = input.byte()
    if (method !== (login ? 2 : 0)) throw noMethod(method, login !== undefined)
    this.#state = login ? 'login' : 'reply5'
    if (!login) return { send: this.#request }
    return { send: delayAuth ? loginBytes(login) : nothing }
  }

  #login(input: Input): SocksClientStep {
    input.byte() // Its version, which should be 1; some answer 5.
    const status = input.byte()
    if (status !== 0) throw new ProxyError('UPSTREAM_UNAUTHORIZED', `refused the user or the password (${status})`)
    this.#state = 'reply5'
    return { send: this.#request }
  }

  #reply5(input: Input): SocksClientStep {
    mustBe(5, input.byte())
    const code = input.byte()
    // Who refuses need not send the rest.
    if (code !== 0) throw refusal5(code, this.#what)
    input.byte()
    const kind = input.byte()
    if (kind !== 1 && kind !== 3 && kind !== 4) throw unreadable(`an address of kind ${kind}`)
    const host = input.take(kind === 1 ? 4 : kind === 4 ? 16 : input.byte())
    const port = input.word()
    return { send: nothing, bound: { host: (kind === 3 ? domainOf(host) : formatHost(hostFromIP(host))) ?? '', port } }
  }

  #reply4(input: Input): SocksClientStep {
    const version = input.byte()
    if (version !== 0 && version !== 4) mustBe(4, version)
    const code = input.byte()
    if (code !== granted4) throw refusal4(code, this.#what)
    const port = input.word()
    return { send: nothing, bound: { host: formatHost(hostFromIP(input.take(4))), port } }
  }

  get #what(): string {
    const { command, target } = this.#ask
    return command === 'associate' ? 'to carry UDP' : `to connect to ${formatAddress(target)}`
  }
}

const nothing = new Uint8Array(0)

function mustBe(version: 4 | 5, found: number): void {
  if (found === version) return
  const hint =
    found === 0x48
      ? 'it may be an HTTP proxy: write "protocol": "http"'
      : 'is this the right port, and with or without TLS as the proxy has it?'
  throw unreadable(`${found} where SOCKS${version} has ${version === 5 ? 5 : 0}`, hint)
}

const unreadable = (what: string, hint?: string): ProxyError =>
  new ProxyError('UPSTREAM_BAD_ANSWER', `gave an answer that is not SOCKS: ${what}`, { hint })

function noMethod(method: number, offered: boolean): ProxyError {
  const none = method === 0xff
  if (offered)
    return new ProxyError(
      'UPSTREAM_UNAUTHORIZED',
      none ? 'takes no user and password' : `asks for the login method ${method}`,
      { hint: none ? 'leave out "users" where the proxy asks for no login' : undefined },
    )
  const what = method === 2 || none ? 'wants a user and a password' : `asks for the login method ${method}`
  return new ProxyError('UPSTREAM_UNAUTHORIZED', what, { hint: 'write "users": [ { "user", "pass" } ]' })
}

function request5({ command, target }: SocksAsk): Uint8Array {
  const written = addressBytes(target)
  if (!written) throw impossible(target, 'letters, digits, "-", "." and "_" are all that proxies take')
  return Uint8Array.of(5, command === 'connect' ? 1 : 3, 0, ...written)
}

function request4({ command, target, login }: SocksAsk): Uint8Array {
  if (command !== 'connect') throw new ProxyError('OUTBOUND_TCP_ONLY', 'carries no UDP: SOCKS4 has no word for it')
  const host = parseHost(target.host)
  if (host.kind === 'ipv6') throw impossible(target, 'SOCKS4 knows no IPv6')
  const name = host.kind === 'domain' ? domainBytes(host.name) : undefined
  if (host.kind === 'domain' && !name) throw impossible(target, 'it cannot be a domain name')
  const user = new TextEncoder().encode(login?.user ?? '')
  const ip = host.kind === 'ipv4' ? host.bytes : [0, 0, 0, 1]
  return Uint8Array.of(4, 1, target.port >> 8, target.port & 0xff, ...ip, ...user, 0, ...(name ? [...name, 0] : []))
}

const impossible = (target: Address, why: string): ProxyError =>
  new ProxyError('ADDRESS_INVALID', `cannot be asked for ${JSON.stringify(formatAddress(target))}: ${why}`)

function loginBytes({ user, pass }: Login): Uint8Array {
  const [name, word] = [user, pass].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array]
  if (name.length > 255 || word.length > 255) {
    throw new ProxyError('ADDRESS_INVALID', 'cannot be told a user or a password of more than 255 bytes')
  }
  return Uint8Array.of(1, name.length, ...name, word.length, ...word)
}

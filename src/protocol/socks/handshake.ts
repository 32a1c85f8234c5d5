/**
 * The server's half of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), up to the request.
 *
 *     SOCKS5   05 n method[n]            →  05 method           method 00 none, 02 user/password, ff nothing acceptable
 *              01 ulen user plen pass    →  01 status           only after method 02; status 00 accepted, ff refused
 *              05 cmd 00 kind host port  →  05 code 00 kind host port    kind 01 IPv4, 03 length and domain, 04 IPv6
 *     SOCKS4   04 cmd port ip[4] user 00 [domain 00]  →  00 code 0000 00000000    4a: first byte of ip is 0
 *
 * The refusals are, byte for byte, those of V2Ray 4.34, and come as early as its own.
 */

import { formatHost, hostFromIP } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { join } from '../wire/join.ts'
import { domainOf } from './domain.ts'
import { Input, more } from './input.ts'
import type { Login, Logins } from './logins.ts'
import { socksReply } from './reply.ts'

export interface SocksRequest {
  /** `associate`: datagrams, for which host and port say where the client means to send from. */
  readonly command: 'connect' | 'associate'
  readonly version: 4 | 5
  readonly host: string
  readonly port: number
  /** Set when the client authenticated. */
  readonly login?: Login
}

export interface SocksStep {
  /** To be sent to the client now; may be empty. */
  readonly send: Uint8Array
  /** The handshake is over and asks for this; the reply is still to be sent. */
  readonly request?: SocksRequest
  /** With `request`: what the client sent after it. */
  readonly rest?: Uint8Array
  /** The handshake has failed: send, then close. */
  readonly refused?: ProxyError
}

const CONNECT = 0x01
const ASSOCIATE = 0x03
/** Tor's RESOLVE and RESOLVE_PTR; V2Ray treats them as CONNECT. */
const TOR_COMMANDS: readonly number[] = [0xf0, 0xf1]
const NO_AUTH = 0x00
const PASSWORD = 0x02
const NOTHING_ACCEPTABLE = 0xff

/** User ids and 4a domains end with a zero byte: how far to look for it. */
const SOCKS4_TEXT_MAX = 2048

type State = 'version' | 'methods' | 'password' | 'request5' | 'request4' | 'done'

export class SocksHandshake {
  readonly #logins: Logins | undefined
  readonly #udp: boolean
  #state: State = 'version'
  #pending: Uint8Array = new Uint8Array(0)
  #login: Login | undefined

  /**
   * With `logins` the client must authenticate as one of them, and SOCKS4, which cannot, is refused.
   * @param udp UDP ASSOCIATE is offered
   */
  constructor(logins?: Logins, udp = false) {
    this.#logins = logins
    this.#udp = udp
  }

  /** True once any byte came. */
  get started(): boolean {
    return this.#state !== 'version'
  }

  /** Takes the client's next bytes, cut anywhere, and keeps no reference to them. Throws PROTOCOL_MISUSE after the last step. */
  push(bytes: Uint8Array): SocksStep {
    if (this.#state === 'done') throw new ProxyError('PROTOCOL_MISUSE', 'the SOCKS handshake is over')
    const input = new Input(join([this.#pending, bytes]))
    const sent: Uint8Array[] = []
    try {
      for (;;) {
        const step = this.#unit(input)
        input.commit()
        sent.push(step.send)
        if (step.request || step.refused) {
          this.#state = 'done'
          this.#pending = new Uint8Array(0)
          const rest = step.request && { rest: input.rest() }
          return { ...step, ...rest, send: join(sent) }
        }
      }
    } catch (error) {
      if (error !== more) throw error
      this.#pending = input.rest()
      return { send: join(sent) }
    }
  }

  #unit(input: Input): SocksStep {
    switch (this.#state) {
      case 'version':
        return this.#version(input.byte())
      case 'methods':
        return this.#methods(input.take(input.byte()))
      case 'password':
        return this.#password(input)
      case 'request5':
        return this.#request5(input)
      default:
        return this.#request4(input)
    }
  }

  #version(version: number): SocksStep {
    if (version !== 4 && version !== 5) return malformed(`version ${version}`)
    this.#state = version === 5 ? 'methods' : 'request4'
    return quiet
  }

  #methods(offered: Uint8Array): SocksStep {
    const wanted = this.#logins ? PASSWORD : NO_AUTH
    if (!offered.includes(wanted)) {
      const message = this.#logins ? 'the client does not offer a password' : 'the client insists on authentication'
      return unauthorized(message, Uint8Array.of(5, NOTHING_ACCEPTABLE))
    }
    this.#state = this.#logins ? 'password' : 'request5'
    return { send: Uint8Array.of(5, wanted) }
  }

  #password(input: Input): SocksStep {
    input.byte() // The version, 1; old clients send 5, and V2Ray does not look.
    const user = input.take(input.byte())
    const pass = input.take(input.byte())
    this.#login = this.#logins?.find(user, pass)
    if (!this.#login) return unauthorized('unknown user or wrong password', Uint8Array.of(1, 0xff))
    this.#state = 'request5'
    return { send: Uint8Array.of(1, 0) }
  }

  #request5(input: Input): SocksStep {
    const version = input.byte()
    if (version !== 5) return malformed(`version ${version} in the request`)
    const command = input.byte()
    input.byte()
    const associate = command === ASSOCIATE && this.#udp
    if (command !== CONNECT && !associate && !TOR_COMMANDS.includes(command)) return unsupported(5, command)
    const kind = input.byte()
    if (kind !== 1 && kind !== 3 && kind !== 4) return malformed(`address type ${kind}`)
    const host = input.take(kind === 1 ? 4 : kind === 4 ? 16 : input.byte())
    const port = input.word()
    // Some clients leave the host of an association empty: it says nothing anyway.
    const name = associate && host.length === 0 ? '0.0.0.0' : undefined
    const asked = name ?? (kind === 3 ? domainOf(host) : formatHost(hostFromIP(host)))
    return this.#request(5, associate ? 'associate' : 'connect', asked, port)
  }

  #request4(input: Input): SocksStep {
    const command = input.byte()
    if (this.#logins) return unauthorized('SOCKS4 has no password', socksReply(4, 1))
    const port = input.word()
    const ip = input.take(4)
    const user = input.text(SOCKS4_TEXT_MAX)
    const domain = ip[0] === 0 ? user && input.text(SOCKS4_TEXT_MAX) : ip
    if (!user || !domain) return malformed(`a text of more than ${SOCKS4_TEXT_MAX} bytes`)
    if (command !== CONNECT) return unsupported(4, command)
    return this.#request(4, 'connect', ip[0] === 0 ? domainOf(domain) : formatHost(hostFromIP(ip)), port)
  }

  #request(version: 4 | 5, command: SocksRequest['command'], host: string | undefined, port: number): SocksStep {
    if (host === undefined) return malformed('an impossible domain')
    return { send: nothing, request: { version, command, host, port, ...(this.#login && { login: this.#login }) } }
  }
}

const nothing = new Uint8Array(0)
const quiet: SocksStep = { send: nothing }

const malformed = (what: string): SocksStep => {
  return { send: nothing, refused: new ProxyError('SOCKS_BAD_REQUEST', `not a SOCKS request: ${what}`) }
}

const unauthorized = (message: string, send: Uint8Array): SocksStep => {
  return { send, refused: new ProxyError('SOCKS_UNAUTHORIZED', message) }
}

const commandNames: ReadonlyMap<number, string> = new Map([
  [2, 'BIND'],
  [3, 'UDP ASSOCIATE'],
])

const unsupported = (version: 4 | 5, command: number): SocksStep => {
  const name = commandNames.get(command) ?? `SOCKS command ${command}`
  const refused = new ProxyError('SOCKS_COMMAND_UNSUPPORTED', `${name} is not offered`)
  return { send: socksReply(version, 7), refused }
}

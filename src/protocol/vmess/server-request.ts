import type { Address } from '../../core/address.ts'
import type { Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { type CfbStream, createCfb } from '../../crypto/cfb.ts'
import {
  type BodyOpener,
  type BodyOptions,
  type BodyScheme,
  type BodySealer,
  createOpener,
  createSealer,
  type Security,
} from './body/body.ts'
import type { SessionKeys } from './client.ts'
import type { Command, RequestHeader } from './header/request.ts'
import { encodeResponse, type ResponseKeys, responseKeys, sealResponse } from './header/response.ts'
import type { SwitchAccount } from './switch-account.ts'
import type { AuthMode, Match, VmessIdentity } from './users/directory.ts'

/** An accepted request: who wants what, and the means to carry it. */
export class ServerRequest<U extends VmessIdentity = VmessIdentity> {
  readonly user: U
  readonly mode: AuthMode
  /** Time of the client's authentication, Unix seconds. */
  readonly timeS: number
  readonly command: Command
  /** For mux `v1.mux.cool`, port 0. */
  readonly target: Address
  readonly security: Security
  readonly options: BodyOptions
  /** What the client drew for this connection. Secret. */
  readonly keys: SessionKeys
  /** Bytes behind the header, the beginning of the request body. */
  readonly rest: Uint8Array
  /** Seals the answer's body, which goes behind responseHead(). */
  readonly sealer: BodySealer
  readonly #scheme: BodyScheme
  readonly #responseKeys: ResponseKeys
  readonly #headerCfb: CfbStream | undefined
  #opener: BodyOpener | undefined
  #headTaken = false

  constructor(match: Match<U>, header: RequestHeader, rest: Uint8Array, random: Random) {
    const { key, iv, v, security, options, command, target } = header
    this.user = match.user
    this.mode = match.mode
    this.timeS = match.timeS
    this.command = command
    this.target = target
    this.security = security
    this.options = options
    this.keys = { key, iv, v }
    this.rest = rest
    const transfer = command === 'udp' ? 'packet' : 'stream'
    this.#scheme = { security, options, transfer, requestKey: key, requestIv: iv }
    const response = responseKeys(match.mode, key, iv)
    this.#responseKeys = response
    this.#headerCfb = match.mode === 'legacy' ? createCfb('encrypt', response.key, response.iv) : undefined
    this.sealer = createSealer(this.#scheme, {
      ...response,
      terminate: !match.user.experiments.noTerminationSignal,
      random,
      ...(this.#headerCfb && security === 'aes-128-cfb' && { cfb: this.#headerCfb }),
    })
  }

  /** Opens the request body; of a udp request the datagrams run together. */
  get opener(): BodyOpener {
    this.#opener ??= createOpener(this.#scheme, { key: this.keys.key, iv: this.keys.iv })
    return this.#opener
  }

  /**
   * Opens the body of a udp request: `packet` gets every datagram, lent until it returns.
   * To be called before `opener` is used, and instead of it.
   */
  packetOpener(packet: (datagram: Uint8Array) => void): BodyOpener {
    if (this.#opener) throw new ProxyError('PROTOCOL_MISUSE', 'the request body has an opener already')
    this.#opener = createOpener(this.#scheme, { key: this.keys.key, iv: this.keys.iv, packet })
    return this.#opener
  }

  /**
   * The response header, once, to be sent in front of what `sealer` makes; before the sealer's first use.
   * @param command is left out when its host has over 228 bytes
   */
  responseHead(command?: SwitchAccount): Uint8Array {
    if (this.#headTaken) throw new ProxyError('PROTOCOL_MISUSE', 'the response header can be sent only once')
    this.#headTaken = true
    const plain = encodeResponse({ v: this.keys.v, options: 0, ...(command && { command }) })
    if (!this.#headerCfb) return sealResponse(this.#responseKeys, plain)
    this.#headerCfb.update(plain, plain, 0)
    return plain
  }
}

/**
 * The client's half of one connection.
 *
 *     1  head()         the request header, to be sent in one piece and together with the first payload if there is one
 *     2  sealer         payload, right behind the header: a server answers only once its target has spoken
 *     3  opener         first the response header, then the body of the answer
 */
import type { Address } from '../../core/address.ts'
import type { Clock, Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { type BodyOptions, type BodyScheme, type BodySealer, createSealer, type Security } from './body/body.ts'
import { sealAuthId } from './header/auth-id.ts'
import { legacyAuth } from './header/legacy-auth.ts'
import { type Command, encodeRequest, type RequestHeader } from './header/request.ts'
import { sealLegacyRequest, sealRequest } from './header/request-seal.ts'
import { ResponseOpener } from './header/response-opener.ts'
import type { SwitchAccount } from './switch-account.ts'
import { userKeys } from './users/user-keys.ts'

export interface ClientSessionOptions {
  /** alterId 0 authenticates in AEAD mode, any other in the legacy one. The id (16 bytes) must not change. */
  readonly user: { readonly id: Uint8Array; readonly alterId: number }
  /** Authenticate in the legacy way even with alterId 0, by the primary id. */
  readonly legacyHeader?: boolean
  /** `zero` is `none` without any framing. */
  readonly security: Security | 'zero'
  readonly command: Command
  /** Where the server shall connect to; ignored for mux. */
  readonly target: Address
  readonly experiments: { readonly authenticatedLength: boolean; readonly noTerminationSignal: boolean }
  /** Frame `none`: for carriers that cannot end one direction by themselves. */
  readonly framedNone?: boolean
  /** Hide the lengths of chunks of aes-128-gcm and chacha20-poly1305 by padding; true unless given. */
  readonly globalPadding?: boolean
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  /** For command udp: gets every datagram of the answer, lent until it returns, instead of having them run together. */
  readonly packet?: (datagram: Uint8Array) => void
  /** This server has answered this account before, so a missing answer is not the fault of id or clock. */
  readonly proven?: boolean
  /** Called once the response header has opened, with what the server asked for in it. Must not throw. */
  readonly answered?: (command: SwitchAccount | undefined) => void
  /** Called when there will be no answer: the server closed before, or what it sent does not open. Must not throw. */
  readonly unanswered?: () => void
  /** Instead of fresh random ones: to replay a recorded conversation. */
  readonly keys?: SessionKeys
}

/** What the client draws for one connection. Never to be used for another. */
export interface SessionKeys {
  /** 16 bytes each. */
  readonly key: Uint8Array
  readonly iv: Uint8Array
  /** The byte by which the response is recognised. */
  readonly v: number
}

/** A legacy authentication may be up to so many seconds ahead: inside the window of every server. */
const legacyJitterS = 30

export class ClientSession {
  readonly keys: SessionKeys
  readonly sealer: BodySealer
  readonly opener: ResponseOpener
  readonly #options: ClientSessionOptions
  readonly #header: RequestHeader
  readonly #legacy: boolean
  #headTaken = false

  constructor(options: ClientSessionOptions) {
    const { random, command, user } = options
    const security = options.security === 'zero' ? 'none' : options.security
    this.#options = options
    this.keys = options.keys ?? {
      key: random.fill(new Uint8Array(16)),
      iv: random.fill(new Uint8Array(16)),
      v: random.below(256),
    }
    const { key, iv, v } = this.keys
    this.#header = { key, iv, v, security, options: bodyOptions(options), command, target: options.target }
    const scheme: BodyScheme = {
      security,
      options: this.#header.options,
      transfer: command === 'udp' ? 'packet' : 'stream',
      requestKey: key,
      requestIv: iv,
    }
    this.sealer = createSealer(scheme, { key, iv, terminate: !options.experiments.noTerminationSignal, random })
    this.#legacy = user.alterId > 0 || options.legacyHeader === true
    this.opener = new ResponseOpener(scheme, this.#legacy ? 'legacy' : 'aead', v, options)
  }

  /**
   * The whole request header, once. It belongs to the moment: send it soon.
   * @throws ProxyError ADDRESS_INVALID when the target cannot be carried, PROTOCOL_MISUSE the second time
   */
  head(): Uint8Array {
    if (this.#headTaken) throw new ProxyError('PROTOCOL_MISUSE', 'the request header can be sent only once')
    this.#headTaken = true
    const { clock, random, user } = this.#options
    const plain = encodeRequest(this.#header, random.fill(new Uint8Array(random.below(16))))
    const { commandKey, sealAuthId: seal, alterIds } = userKeys(user)
    const nowS = Math.floor(clock.now() / 1000)
    if (!this.#legacy) {
      const authId = sealAuthId(seal, nowS, random.fill(new Uint8Array(4)))
      return sealRequest(commandKey, authId, random.fill(new Uint8Array(8)), plain)
    }
    const timeS = nowS + random.below(legacyJitterS)
    const id = alterIds.length > 0 ? alterIds[random.below(alterIds.length)]! : user.id
    const auth = legacyAuth(id, timeS)
    return sealLegacyRequest(commandKey, auth, timeS, plain)
  }
}

/** What every server understands for this security and command. */
function bodyOptions(options: ClientSessionOptions): BodyOptions {
  const { security, command, experiments } = options
  const framed = { chunkStream: true, chunkMasking: false, globalPadding: false, authenticatedLength: false }
  switch (security) {
    case 'aes-128-gcm':
    case 'chacha20-poly1305':
      return {
        chunkStream: true,
        chunkMasking: true,
        globalPadding: options.globalPadding ?? true,
        authenticatedLength: experiments.authenticatedLength,
      }
    case 'aes-128-cfb':
      return framed
    case 'none':
      if (command !== 'udp' && options.framedNone) return { ...framed, chunkMasking: true }
      return { ...framed, chunkStream: command === 'udp' }
    case 'zero':
      return { ...framed, chunkStream: command === 'udp' }
  }
}

import { isProxyError, ProxyError } from '../../../core/errors.ts'
import { type CfbStream, createCfb } from '../../../crypto/cfb.ts'
import { type BodyOpener, type BodyScheme, createOpener } from '../body/body.ts'
import type { SwitchAccount } from '../switch-account.ts'
import type { AuthMode } from '../users/directory.ts'
import {
  decodeResponse,
  openResponse,
  openResponseLength,
  type ResponseKeys,
  responseKeys,
  responseLength,
  sealedLengthLength,
} from './response.ts'

/** Which piece of the header is being collected; then the body, or nothing any more. */
type State =
  | { readonly at: 'sealed length' }
  | { readonly at: 'sealed fields' }
  | { readonly at: 'legacy start'; readonly cfb: CfbStream }
  | { readonly at: 'legacy command'; readonly cfb: CfbStream; readonly start: Uint8Array }
  | { readonly at: 'body' }
  | { readonly at: 'failed'; readonly error: unknown }

export interface ResponseOptions {
  /** For datagrams: gets each one. */
  readonly packet?: (datagram: Uint8Array) => void
  /** The server has answered this account before: id and clock are not to blame for a missing answer. */
  readonly proven?: boolean
  /** Called once the response header has opened, with what the server asked for in it. Must not throw. */
  readonly answered?: (command: SwitchAccount | undefined) => void
  /** Called when there will be no answer: the server closed before, or what it sent does not open. Must not throw. */
  readonly unanswered?: () => void
}

/** The answer's direction as the client sees it: a response header, then a body. Every split of the input gives the same. */
export class ResponseOpener implements BodyOpener {
  readonly #keys: ResponseKeys
  readonly #v: number
  readonly #options: ResponseOptions
  readonly #body: BodyOpener
  #state: State
  /** The piece being collected, and how much of it is there. */
  #piece: Uint8Array
  #have = 0
  #begun = false
  #command: SwitchAccount | undefined

  constructor(scheme: BodyScheme, mode: AuthMode, v: number, options: ResponseOptions = {}) {
    this.#options = options
    this.#keys = responseKeys(mode, scheme.requestKey, scheme.requestIv)
    this.#v = v
    const cfb = mode === 'legacy' ? createCfb('decrypt', this.#keys.key, this.#keys.iv) : undefined
    this.#state = cfb ? { at: 'legacy start', cfb } : { at: 'sealed length' }
    this.#piece = new Uint8Array(cfb ? 4 : sealedLengthLength)
    this.#body = createOpener(scheme, {
      ...this.#keys,
      ...(cfb && scheme.security === 'aes-128-cfb' && { cfb }),
      ...(options.packet && { packet: options.packet }),
    })
  }

  /** Whether the response header is complete. */
  get answered(): boolean {
    return this.#state.at === 'body'
  }

  /** What the server asked for in its header, if anything. */
  get command(): SwitchAccount | undefined {
    return this.#command
  }

  get ended(): boolean {
    return this.#body.ended
  }

  room(batch: number): number {
    return this.#body.room(batch)
  }

  /**
   * Opens what `batch` completes into `into` and returns the number of bytes written. `batch` is used up.
   * @throws ProxyError RESPONSE_AUTH_FAILED, RESPONSE_MISMATCH, and those of the body
   */
  open(batch: Uint8Array, into: Uint8Array): number {
    if (this.#state.at === 'body') return this.#body.open(batch, into)
    try {
      const at = this.#collect(batch)
      return at < batch.length ? this.#body.open(batch.subarray(at), into) : 0
    } catch (error) {
      const unanswered = !this.answered && this.#state.at !== 'failed'
      this.#state = { at: 'failed', error }
      if (unanswered) this.#options.unanswered?.()
      throw error
    }
  }

  /** The peer has closed. @throws ProxyError RESPONSE_MISSING before the header is complete, TRUNCATED inside a chunk */
  end(): void {
    if (this.#state.at === 'failed') throw this.#state.error
    if (this.#state.at !== 'body') {
      this.#options.unanswered?.()
      throw responseMissing(this.#begun, this.#options.proven ?? false)
    }
    this.#body.end()
  }

  /** The carrier broke: its error, with the causes that an end has, too, if it is a reset before the header is complete. */
  explain(error: Error): Error {
    const isReset = isProxyError(error) && error.code === 'CONN_RESET'
    if (!isReset || this.answered || this.#state.at === 'failed') return error
    const hint = missingCauses(this.#options.proven ?? false)
    return new ProxyError('CONN_RESET', `${error.message} before its response header was complete`, {
      cause: error,
      hint,
    })
  }

  /** Feeds the header; returns how much of `batch` belonged to it. */
  #collect(batch: Uint8Array): number {
    let at = 0
    if (batch.length > 0) this.#begun = true
    while (this.#state.at !== 'body') {
      const taken = Math.min(this.#piece.length - this.#have, batch.length - at)
      this.#piece.set(batch.subarray(at, at + taken), this.#have)
      this.#have += taken
      at += taken
      if (this.#have < this.#piece.length) break
      this.#advance(this.#state, this.#piece)
    }
    return at
  }

  #advance(state: State, piece: Uint8Array): void {
    switch (state.at) {
      case 'sealed length': {
        const length = openResponseLength(this.#keys, piece)
        if (length === undefined) throw notAuthentic()
        this.#want(length, { at: 'sealed fields' })
        break
      }
      case 'sealed fields': {
        const plain = openResponse(this.#keys, piece)
        if (plain === undefined) throw notAuthentic()
        this.#finish(plain)
        break
      }
      case 'legacy start': {
        const start = new Uint8Array(4)
        state.cfb.update(piece, start, 0)
        // With a wrong key the first byte is noise: say so before its length makes us wait for more.
        if (start[0] !== this.#v) this.#finish(start)
        else this.#want(responseLength(start) - 4, { at: 'legacy command', cfb: state.cfb, start })
        break
      }
      case 'legacy command': {
        const plain = new Uint8Array(4 + piece.length)
        plain.set(state.start)
        state.cfb.update(piece, plain, 4)
        this.#finish(plain)
        break
      }
      case 'failed':
        throw state.error
      case 'body':
        break
    }
  }

  #want(length: number, state: State): void {
    this.#state = state
    this.#piece = new Uint8Array(length)
    this.#have = 0
  }

  #finish(plain: Uint8Array): void {
    this.#command = decodeResponse(plain, this.#v).command
    this.#want(0, { at: 'body' })
    this.#options.answered?.(this.#command)
  }
}

const notAuthentic = () =>
  new ProxyError(
    'RESPONSE_AUTH_FAILED',
    'the response header does not open: the answer is not from the server that holds the id',
  )

/** Likely causes of silence, the likeliest first. */
export const silenceCauses =
  'likely causes, in order: the id is unknown to the server; a clock is off by more than 120 s; ' +
  'the server does not accept this security or alterId (Xray 26.7 and later refuse none and zero); the target cannot be reached from there; ' +
  'the port is not VMess, or expects another transport or TLS'

const turnedAway = 'the server turns this user away (removed, expired, quota, too many connections)'

/** The same for an account that the server has answered before: id, clock and transport are not to blame. */
export const provenSilenceCauses =
  'the server has answered this user before; likely causes, in order: the target is slow, or cannot be reached from ' +
  `there; ${turnedAway}; the server was started again with other settings`

const provenMissing = `it has answered before, so the target can probably not be reached from there, or ${turnedAway}`

function responseMissing(begun: boolean, proven: boolean): ProxyError {
  const what = begun ? 'the server closed inside its response header' : 'the server closed without answering'
  return new ProxyError('RESPONSE_MISSING', what, { hint: missingCauses(proven) })
}

const missingCauses = (proven: boolean): string => (proven ? provenMissing : silenceCauses)

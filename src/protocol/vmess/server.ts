/**
 * The server's half of one connection, up to the point where it is known what the client wants.
 *
 *     1  auth       16 bytes: whose they are, in which mode, and whether the time they carry will do; among many users
 *                   somebody else may have to search for that
 *     2  length     AEAD: 26 bytes more open the length of the header
 *     3  header     AEAD: the header itself; from here on the AuthID is remembered
 *     4  legacy     the fields, as many as they turn out to be
 *
 * Nothing is ever written on a refusal: the caller goes on reading and throwing away until its handshake limit, so that all
 * refusals look the same from outside. What push() throws is for the log.
 */
import type { Clock, Random } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { createCfb } from '../../crypto/cfb.ts'
import { authIdLength } from './header/auth-id.ts'
import { legacyHeaderIv } from './header/legacy-auth.ts'
import { decodeRequest, fixedLength, requestLength, sessionKeys, verifiedLength } from './header/request.ts'
import { aeadHeadLength, openRequest, openRequestLength, sealedRequestLength } from './header/request-seal.ts'
import { checkClock, checkSecurity, foreign, replayed, unknownUser, unopened } from './refusals.ts'
import type { SeenAuths, SeenSessions } from './replay.ts'
import { ServerRequest } from './server-request.ts'
import { type LegacyFields, legacyFieldsMax, type ServerState } from './server-state.ts'
import type { Match, UserDirectory, VmessIdentity } from './users/directory.ts'
import { UserSearch } from './users/user-search.ts'

export interface ServerSessionOptions<U extends VmessIdentity> {
  /** These three are shared by all sessions of an inbound. */
  readonly users: UserDirectory<U>
  readonly replay: SeenAuths
  readonly history: SeenSessions
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  /** Refuse the securities none (and zero) and aes-128-cfb. */
  readonly disableInsecureEncryption: boolean
  /** What the client is known by, such as its address. A hint only: whoever was let in from there last is tried first. */
  readonly from?: string
  /** A search among many users is left to the caller: see `search`. Otherwise push() does it, whatever it takes. */
  readonly deferSearch?: boolean
}

const nothing = new Uint8Array(0)

export class ServerSession<U extends VmessIdentity = VmessIdentity> {
  readonly #options: ServerSessionOptions<U>
  #state: ServerState<U> = { at: 'auth' }
  #held: Uint8Array = new Uint8Array(0)
  #have = 0
  #user: U | undefined

  constructor(options: ServerSessionOptions<U>) {
    this.#options = options
  }

  /** Whose id opened the request, also when it was then refused; for logs. Undefined while that is not known. */
  get user(): U | undefined {
    return this.#user
  }

  /** What must be run to its end, or given up, before resume(): nothing goes on meanwhile. */
  get search(): UserSearch | undefined {
    return this.#state.at === 'search' ? this.#state.search : undefined
  }

  /** The search is over. Returns and throws as push() does. */
  resume(): ServerRequest<U> | undefined {
    return this.push(nothing)
  }

  /**
   * Takes the next bytes, which become the session's, and returns the request once its header is complete.
   * A header of at most 64 KiB is held meanwhile.
   * @throws ProxyError any VMESS_ code, once; after that, and after the request was returned, PROTOCOL_MISUSE
   */
  push(bytes: Uint8Array): ServerRequest<U> | undefined {
    if (this.#state.at === 'accepted' || this.#state.at === 'refused') {
      throw new ProxyError('PROTOCOL_MISUSE', `the session takes no more bytes: the request was ${this.#state.at}`)
    }
    this.#hold(bytes)
    try {
      return this.#run()
    } catch (error) {
      this.#refuse(error)
      throw error
    }
  }

  /**
   * The peer closed, or the time for its header is up: what that means, for the log. The session is over.
   * After a refusal it is the refusal's own error.
   */
  end(): ProxyError {
    const state = this.#state
    if (state.at === 'refused') return state.error as ProxyError
    if (state.at === 'accepted') return new ProxyError('PROTOCOL_MISUSE', 'the request is complete')
    const error = this.#unfinished()
    this.#refuse(error)
    return error
  }

  #unfinished(): ProxyError {
    if (this.#state.at === 'auth') {
      if (this.#have === 0) return new ProxyError('TRUNCATED', 'the peer closed without sending anything')
      return (
        foreign(this.#bytes(0, this.#have)) ?? new ProxyError('TRUNCATED', `the peer closed after ${this.#have} bytes`)
      )
    }
    return new ProxyError('TRUNCATED', `the request header stops after ${this.#have} bytes`)
  }

  #refuse(error: unknown): void {
    const state = this.#state
    // Whoever sends a legacy header that is not whole may be looking for its borders: its authentication is used up.
    if (state.at === 'legacy' && state.fields.have >= fixedLength) this.#burn(state.match)
    this.#state = { at: 'refused', error }
    this.#held = new Uint8Array(0)
  }

  #burn(match: Match<U>): void {
    this.#options.replay.remember(this.#bytes(0, authIdLength), match.timeS)
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#have === 0) this.#held = bytes
    else {
      if (this.#have + bytes.length > this.#held.length) {
        const larger = new Uint8Array(Math.max(512, 2 * this.#have, this.#have + bytes.length))
        larger.set(this.#held.subarray(0, this.#have))
        this.#held = larger
      }
      this.#held.set(bytes, this.#have)
    }
    this.#have += bytes.length
  }

  #bytes(from: number, to: number): Uint8Array {
    return this.#held.subarray(from, to)
  }

  /** Takes one step after the other until bytes are missing or the request is complete. */
  #run(): ServerRequest<U> | undefined {
    for (;;) {
      const state = this.#state
      switch (state.at) {
        case 'auth':
          if (this.#have < authIdLength) return undefined
          this.#state = this.#authenticate()
          break
        case 'search':
          if (!state.search.over) return undefined
          this.#state = this.#recognised(state.search.match)
          break
        case 'length':
          if (this.#have < aeadHeadLength) return undefined
          this.#state = { at: 'header', match: state.match, end: this.#openLength(state.match) }
          break
        case 'header':
          if (this.#have < state.end) return undefined
          return this.#accept(state.match, this.#openHeader(state.match, state.end), state.end)
        case 'legacy': {
          const length = this.#readLegacy(state.match, state.fields)
          if (length === undefined) return undefined
          // From here on the fields have proved to come from the user, and a refusal burns nothing.
          this.#state = { at: 'accepted' }
          return this.#accept(state.match, state.fields.plain.subarray(0, length), authIdLength + length)
        }
        case 'accepted':
        case 'refused':
          return undefined
      }
    }
  }

  #authenticate(): ServerState<U> {
    const { users, clock, from, deferSearch } = this.#options
    const search = users.begin(this.#bytes(0, authIdLength), clock.now(), from)
    if (!(search instanceof UserSearch)) return this.#recognised(search)
    if (!deferSearch) search.advance(Number.POSITIVE_INFINITY)
    return { at: 'search', search }
  }

  #recognised(match: Match<U> | undefined): ServerState<U> {
    const { replay, clock } = this.#options
    if (!match) throw foreign(this.#bytes(0, this.#have)) ?? unknownUser()
    this.#user = match.user
    checkClock(match, Math.floor(clock.now() / 1000))
    if (replay.seen(this.#bytes(0, authIdLength), match.timeS)) throw replayed(match, 'authentication')
    if (match.mode === 'aead') return { at: 'length', match }
    const cfb = createCfb('decrypt', match.commandKey, legacyHeaderIv(match.timeS))
    return { at: 'legacy', match, fields: { cfb, plain: new Uint8Array(legacyFieldsMax), have: 0, entered: false } }
  }

  #openLength(match: Match<U>): number {
    const length = openRequestLength(match.commandKey, this.#bytes(0, aeadHeadLength))
    if (length === undefined) throw unopened(match)
    return sealedRequestLength(length)
  }

  #openHeader(match: Match<U>, end: number): Uint8Array {
    const plain = openRequest(match.commandKey, this.#bytes(0, end))
    if (plain === undefined) throw unopened(match)
    const { replay } = this.#options
    const auth = this.#bytes(0, authIdLength)
    // Another connection may have brought the same AuthID while this header was on its way.
    if (!replay.remember(auth, match.timeS)) throw replayed(match, 'authentication')
    if (plain.length < fixedLength) {
      throw new ProxyError('VMESS_HEADER_INVALID', `the request header has only ${plain.length} bytes`)
    }
    this.#enter(match, plain)
    return plain
  }

  /** Decrypts what has come; the length of the fields once they are complete and their checksum is right. */
  #readLegacy(match: Match<U>, fields: LegacyFields): number | undefined {
    const to = Math.min(this.#have, authIdLength + legacyFieldsMax)
    const fresh = this.#bytes(authIdLength + fields.have, to)
    fields.cfb.update(fresh, fields.plain, fields.have)
    fields.have += fresh.length
    const plain = fields.plain.subarray(0, fields.have)
    if (plain.length >= fixedLength && !fields.entered) {
      this.#enter(match, plain)
      fields.entered = true
    }
    return requestLength(plain) > plain.length ? undefined : verifiedLength(plain)
  }

  #enter(match: Match<U>, plain: Uint8Array): void {
    const { key, iv } = sessionKeys(plain)
    if (!this.#options.history.enter(match.user.id, key, iv, match.timeS)) throw replayed(match, 'session')
  }

  #accept(match: Match<U>, plain: Uint8Array, end: number): ServerRequest<U> {
    const header = decodeRequest(plain)
    if (this.#options.disableInsecureEncryption) checkSecurity(match, header)
    this.#state = { at: 'accepted' }
    this.#options.users.letIn(match.user, this.#options.from)
    const rest = this.#bytes(end, this.#have)
    this.#held = new Uint8Array(0)
    return new ServerRequest(match, header, rest, this.#options.random)
  }
}

/** Finds out who sent the first sixteen bytes. Users come and go while connections are being served. */

import { limits } from '../../core/limits.ts'
import type { BlockCipher } from '../../crypto/aes-block.ts'
import { authIdOpener, openAuthId } from './auth-id.ts'
import { commandKey, formatUuid } from './identity.ts'
import { LegacyTable } from './legacy-auth.ts'

/** What the protocol needs to know of a user. It must not be changed while it is in a directory. */
export interface VmessIdentity {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Number of alternative ids; above 0 the user may authenticate in the legacy way too. */
  readonly alterId: number
  readonly email: string
  readonly level: number
  readonly experiments: { readonly authenticatedLength: boolean; readonly noTerminationSignal: boolean }
}

export type AuthMode = 'aead' | 'legacy'

export interface Match<U extends VmessIdentity = VmessIdentity> {
  readonly user: U
  readonly mode: AuthMode
  /** The time that the client's authentication carries, Unix seconds. In AEAD mode any time at all. */
  readonly timeS: number
  /** Key of the request header: 16 bytes. */
  readonly commandKey: Uint8Array
  /** Legacy: which id authenticated, 0 for the primary one, n for the nth alternative. */
  readonly alterId?: number
}

/** A ring of entries; the one seen last comes first. */
interface Entry<U> {
  user: U
  readonly commandKey: Uint8Array
  readonly open: BlockCipher
  legacy: LegacyTable | undefined
  before: Entry<U>
  after: Entry<U>
}

/** Who may authenticate in the legacy way: nobody, users with alterId above 0, or everybody (alterId 0: by the primary id). */
export type LegacyUsers = 'none' | 'alterId' | 'all'

export class UserDirectory<U extends VmessIdentity = VmessIdentity> {
  readonly #legacyUsers: LegacyUsers
  readonly #entries = new Map<string, Entry<U>>()
  readonly #legacy = new Set<Entry<U>>()
  /** By e-mail in lower case; several users may have none. */
  readonly #named = new Map<string, Set<Entry<U>>>()
  #first: Entry<U> | undefined

  constructor(users: Iterable<U> = [], legacyUsers: LegacyUsers = 'alterId') {
    this.#legacyUsers = legacyUsers
    for (const user of users) this.add(user)
  }

  get size(): number {
    return this.#entries.size
  }

  *[Symbol.iterator](): IterableIterator<U> {
    for (const { user } of this.#entries.values()) yield user
  }

  /** The user with this id. */
  get(id: Uint8Array): U | undefined {
    return this.#entries.get(formatUuid(id))?.user
  }

  /** The first user with this e-mail, letter case aside; `''` finds one without. */
  find(email: string): U | undefined {
    const [entry] = this.#named.get(email.toLowerCase()) ?? []
    return entry?.user
  }

  /** Adds a user, or puts it in the place of the one with the same id. */
  add(user: U): void {
    const key = formatUuid(user.id)
    const known = this.#entries.get(key)
    if (known) {
      if (known.user.alterId !== user.alterId) this.#setLegacy(known, user)
      this.#unname(known)
      known.user = user
      this.#name(known)
      return
    }
    const keyBytes = commandKey(user.id)
    const entry = { user, commandKey: keyBytes, open: authIdOpener(keyBytes) } as Entry<U>
    this.#setLegacy(entry, user)
    this.#entries.set(key, entry)
    this.#name(entry)
    this.#link(entry)
  }

  /** Removes the user with this id; false when there is none. Connections already accepted live on. */
  remove(id: Uint8Array): boolean {
    const key = formatUuid(id)
    const entry = this.#entries.get(key)
    if (!entry) return false
    this.#entries.delete(key)
    this.#legacy.delete(entry)
    this.#unname(entry)
    this.#unlink(entry)
    return true
  }

  /** Makes these the only users. Of several with one id the last counts. */
  replace(users: Iterable<U>): void {
    const wanted = new Map<string, U>()
    for (const user of users) wanted.set(formatUuid(user.id), user)
    for (const [key, entry] of this.#entries) if (!wanted.has(key)) this.remove(entry.user.id)
    for (const user of wanted.values()) this.add(user)
  }

  /**
   * Whose authentication this is. An AuthID is recognised whatever time it carries, so that a wrong clock can be told from a
   * wrong id: the caller judges the time. A legacy authentication is recognised within the permitted skew only.
   * @param auth 16 bytes
   */
  match(auth: Uint8Array, nowMs: number): Match<U> | undefined {
    for (let entry = this.#first; entry; entry = entry.after === this.#first ? undefined : entry.after) {
      const timeS = openAuthId(entry.open, auth)
      if (timeS === undefined) continue
      this.#touch(entry)
      return { user: entry.user, mode: 'aead', timeS, commandKey: entry.commandKey }
    }
    return this.#legacy.size > 0 ? this.#matchLegacy(auth, Math.floor(nowMs / 1000)) : undefined
  }

  /** Searches from now outwards: most clocks are nearly right, and seconds that nobody asks for are never computed. */
  #matchLegacy(auth: Uint8Array, nowS: number): Match<U> | undefined {
    for (let distance = 0; distance <= limits.clockSkewS; distance++) {
      for (const timeS of distance === 0 ? [nowS] : [nowS + distance, nowS - distance]) {
        if (timeS < 0) continue
        for (const entry of this.#legacy) {
          const alterId = entry.legacy!.find(auth, timeS)
          if (alterId < 0) continue
          this.#touch(entry)
          return { user: entry.user, mode: 'legacy', timeS, commandKey: entry.commandKey, alterId }
        }
      }
    }
    return undefined
  }

  #setLegacy(entry: Entry<U>, user: U): void {
    const may = this.#legacyUsers === 'all' || (this.#legacyUsers === 'alterId' && user.alterId > 0)
    entry.legacy = may ? new LegacyTable(user.id, user.alterId) : undefined
    if (entry.legacy) this.#legacy.add(entry)
    else this.#legacy.delete(entry)
  }

  #name(entry: Entry<U>): void {
    const key = entry.user.email.toLowerCase()
    const namesakes = this.#named.get(key)
    if (namesakes) namesakes.add(entry)
    else this.#named.set(key, new Set([entry]))
  }

  #unname(entry: Entry<U>): void {
    const key = entry.user.email.toLowerCase()
    const namesakes = this.#named.get(key)
    namesakes?.delete(entry)
    if (namesakes?.size === 0) this.#named.delete(key)
  }

  #touch(entry: Entry<U>): void {
    if (this.#first === entry) return
    this.#unlink(entry)
    this.#link(entry)
  }

  #link(entry: Entry<U>): void {
    const first = this.#first ?? entry
    entry.after = first
    entry.before = this.#first ? first.before : entry
    entry.before.after = entry
    first.before = entry
    this.#first = entry
  }

  #unlink(entry: Entry<U>): void {
    if (this.#first === entry) this.#first = entry.after === entry ? undefined : entry.after
    entry.before.after = entry.after
    entry.after.before = entry.before
  }
}

/** Finds out who sent the first sixteen bytes. Users come and go while connections are being served. */

import { ForgetfulMap } from '../../../core/collections/forgetful-map.ts'
import { limits } from '../../../core/limits.ts'
import { createKeySearch, type KeySearch } from '../../../crypto/key-search/create.ts'
import { authIdKey, authIdLength, authIdTime } from '../header/auth-id.ts'
import { commandKey } from './identity.ts'
import { LegacyTable } from './legacy-table.ts'
import { Names } from './names.ts'
import { RecentUsers } from './recent.ts'
import { Slots } from './slots.ts'
import { type Found, type Searched, UserSearch } from './user-search.ts'

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

/** Who may authenticate in the legacy way: nobody, users with alterId above 0, or everybody (alterId 0: by the primary id). */
export type LegacyUsers = 'none' | 'alterId' | 'all'

/** What an AuthID was opened to. */
const opened = new Uint8Array(authIdLength)

/**
 * The users of an inbound. Keys and all that is told of a user by number lie in arrays, so that many users take little, and
 * each of them only as long to try as its key takes (decision 0010).
 */
export class UserDirectory<U extends VmessIdentity = VmessIdentity> {
  readonly #legacyUsers: LegacyUsers
  readonly #slots = new Slots<U>()
  readonly #names = new Names()
  readonly #lastUsers = new ForgetfulMap<string, Uint8Array>(limits.userAddresses)
  readonly #recent = new RecentUsers()
  readonly #keys: KeySearch
  /** Of more users, most wait for their turn. */
  readonly #atOnce: number
  readonly #legacy = new LegacyTable()
  readonly #searched: Searched<Match<U>>
  /** Counts users who came. */
  #came = 0

  /** @param keys empty */
  constructor(users: Iterable<U> = [], legacyUsers: LegacyUsers = 'alterId', keys: KeySearch = createKeySearch()) {
    this.#legacyUsers = legacyUsers
    this.#keys = keys
    this.#atOnce = limits.usersAtOnce * keys.speed
    const [slots, came] = [this.#slots, () => this.#came]
    this.#searched = {
      keys: this.#keys,
      legacy: this.#legacy,
      get end() {
        return slots.end
      },
      get version() {
        return came()
      },
      matched: (found, auth) => this.#matched(found, auth),
    }
    for (const user of users) this.add(user)
  }

  get size(): number {
    return this.#slots.size
  }

  /** In the order in which they came. */
  *[Symbol.iterator](): IterableIterator<U> {
    for (const slot of this.#slots) yield this.#slots.at(slot)!
  }

  /** The user with this id. */
  get(id: Uint8Array): U | undefined {
    return this.#slots.at(this.#slots.find(id))
  }

  /** The first user with this e-mail, letter case aside; `''` finds one without. */
  find(email: string): U | undefined {
    return this.#slots.at(this.#names.find(email))
  }

  /** Adds a user, or puts it in the place of the one with the same id. */
  add(user: U): void {
    const known = this.#slots.find(user.id)
    const before = this.#slots.at(known)
    if (before) {
      this.#slots.replace(known, user)
      this.#names.remove(before.email, known)
      this.#names.add(user.email, known)
      if (before.alterId !== user.alterId) this.#setLegacy(known, user)
      return
    }
    const slot = this.#slots.add(user)
    this.#keys.set(slot, authIdKey(commandKey(user.id)))
    this.#names.add(user.email, slot)
    this.#setLegacy(slot, user)
    this.#came++
  }

  /** Removes the user with this id; false when there is none. Connections already accepted live on. */
  remove(id: Uint8Array): boolean {
    const slot = this.#slots.find(id)
    const user = this.#slots.at(slot)
    if (!user) return false
    this.#slots.remove(slot)
    this.#names.remove(user.email, slot)
    this.#keys.clear(slot)
    this.#legacy.remove(slot)
    this.#recent.forget(slot)
    return true
  }

  /** Makes these the only users. Of several with one id the last counts. */
  replace(users: Iterable<U>): void {
    const wanted = new Slots<U>()
    for (const user of users) {
      const slot = wanted.find(user.id)
      if (slot < 0) wanted.add(user)
      else wanted.replace(slot, user)
    }
    for (const user of [...this]) if (wanted.find(user.id) < 0) this.remove(user.id)
    for (const slot of wanted) this.add(wanted.at(slot)!)
  }

  /**
   * Whose authentication this is. An AuthID is recognised whatever time it carries, so that a wrong clock can be told from a
   * wrong id: the caller judges the time. A legacy authentication is recognised within the permitted skew only.
   * All users are tried at once, however many there are.
   * @param auth 16 bytes
   */
  match(auth: Uint8Array, nowMs: number): Match<U> | undefined {
    const begun = this.begin(auth, nowMs)
    return begun instanceof UserSearch ? finish(begun) : begun
  }

  /**
   * The same where it can be told at once, or a search that is still to be run.
   * @param from what the client is known by; the last user let in from there is tried first
   */
  begin(auth: Uint8Array, nowMs: number, from = ''): Match<U> | UserSearch<Match<U>> | undefined {
    const last = from === '' ? undefined : this.#lastUsers.get(from)
    const hinted = last ? this.#slots.find(last) : -1
    if (hinted >= 0 && this.#keys.matches(hinted, auth)) return this.#matched({ slot: hinted }, auth)
    const many = this.size > this.#atOnce
    const slot = many ? this.#recent.find(auth) : this.#keys.find(auth, 0, this.#slots.end)
    if (slot >= 0) return this.#matched({ slot }, auth)
    if (!many && this.#legacy.size === 0) return undefined
    const search = new UserSearch(this.#searched, auth.slice(), Math.floor(nowMs / 1000))
    return many || this.#legacy.size > limits.legacyIdsAtOnce ? search : finish(search)
  }

  #matched({ slot, legacy }: Found, auth: Uint8Array): Match<U> | undefined {
    const user = this.#slots.at(slot)
    if (!user) return undefined
    const key = commandKey(user.id)
    if (legacy) return { user, mode: 'legacy', commandKey: key, ...legacy }
    this.#keys.open(slot, auth, opened)
    return { user, mode: 'aead', timeS: authIdTime(opened), commandKey: key }
  }

  /** Whether somebody was let in from there, and was not forgotten since. */
  knows(from: string): boolean {
    return this.#lastUsers.get(from) !== undefined
  }

  /** This user was let in: what a stranger can repeat must not count. @param from as for begin() */
  letIn({ id }: U, from = ''): void {
    if (from !== '' && this.#lastUsers.get(from) !== id) this.#lastUsers.set(from, id)
    if (this.size <= this.#atOnce) return
    const slot = this.#slots.find(id)
    if (slot >= 0) this.#recent.seen(slot, () => authIdKey(commandKey(id)))
  }

  #setLegacy(slot: number, user: U): void {
    const may = this.#legacyUsers === 'all' || (this.#legacyUsers === 'alterId' && user.alterId > 0)
    if (may) this.#legacy.set(slot, user.id, user.alterId)
    else this.#legacy.remove(slot)
  }
}

function finish<M>(search: UserSearch<M>): M | undefined {
  search.advance(Number.POSITIVE_INFINITY)
  return search.match
}

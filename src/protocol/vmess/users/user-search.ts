import { limits } from '../../../core/limits.ts'
import type { KeySearch } from '../../../crypto/key-search/create.ts'
import type { LegacyTable } from './legacy-table.ts'

/** What making a legacy id, or computing one of its authentications, costs: so many keys of an AEAD search by tables. */
const [costOfId, costOfAuth] = [20, 12] as const
/** So many legacy authentications are compared for the cost of one key. */
const perKey = 64

/** Where a search looks, and what it comes to. */
export interface Searched<M> {
  readonly keys: KeySearch
  readonly legacy: LegacyTable
  /** Behind the last slot. */
  readonly end: number
  /** Another number than before when users came. */
  readonly version: number
  /** What finding the sender of `auth` comes to. */
  matched(found: Found, auth: Uint8Array): M | undefined
}

/** What was found. */
export interface Found {
  readonly slot: number
  readonly legacy?: { readonly alterId: number; readonly timeS: number }
}

/**
 * One look at all users for the one who sent an authentication, in as many steps as whoever runs it wants. Users may come and
 * go between two steps; all who are there from beginning to end are looked at.
 */
export class UserSearch<M = unknown> {
  readonly #in: Searched<M>
  readonly #auth: Uint8Array
  readonly #nowS: number
  #slot = 0
  #version: number
  /** Seconds in the order in which they are looked at: 0 for now, then the ones around it. Below 0: users of AEAD first. */
  #turn = -1
  #at = 0
  #legacyVersion = -1
  #over = false
  #match: M | undefined

  /** @param auth 16 bytes, not to be changed meanwhile */
  constructor(searched: Searched<M>, auth: Uint8Array, nowS: number) {
    this.#in = searched
    this.#auth = auth
    this.#nowS = nowS
    this.#version = searched.version
  }

  get over(): boolean {
    return this.#over
  }

  /** Once it is over; undefined when nobody was found. */
  get match(): M | undefined {
    return this.#match
  }

  /** Ends it without a result. */
  giveUp(): void {
    this.#over = true
  }

  /** Tries so many keys more by tables, or does as much other work. Returns what is left of it: 0 while the search is not over. */
  advance(keys: number): number {
    let left = keys
    while (!this.#over && left > 0) left -= this.#turn < 0 ? this.#tryKeys(left) : this.#tryLegacy(left)
    return this.#over ? Math.max(0, left) : 0
  }

  #tryKeys(most: number): number {
    const { keys, end, legacy } = this.#in
    const to = Math.min(end, this.#slot + Math.ceil(most * keys.speed))
    const slot = keys.find(this.#auth, this.#slot, to)
    if (slot >= 0) return this.#end({ slot }, (slot + 1 - this.#slot) / keys.speed)
    const cost = (to - this.#slot) / keys.speed
    this.#slot = to
    if (to < end) return cost
    if (legacy.size === 0) this.#finish()
    else this.#turn = 0
    return cost
  }

  /** Once more where users came: somebody may have left a slot that was still to come for one that had been looked at. */
  #finish(): void {
    const { version } = this.#in
    this.#over = version === this.#version
    this.#version = version
    this.#slot = 0
    this.#turn = -1
    this.#at = 0
  }

  /** Searches from now outwards: most clocks are nearly right, and seconds that nobody asks for are never computed. */
  #tryLegacy(most: number): number {
    const { legacy } = this.#in
    if (!legacy.ready) return legacy.make() * costOfId
    if (this.#legacyVersion !== legacy.version) {
      this.#legacyVersion = legacy.version
      this.#turn = 0
      this.#at = 0
    }
    const timeS = this.#nowS + (this.#turn % 2 === 0 ? -this.#turn / 2 : (this.#turn + 1) / 2)
    const from = this.#at
    const to = Math.min(legacy.made, from + this.#affordable(legacy, timeS, from, most))
    const missing = legacy.missing(timeS, from, to)
    const at = timeS < 0 ? -1 : legacy.find(this.#auth, timeS, this.#nowS, from, to)
    const cost = missing * costOfAuth + (to - from) / perKey + 1
    if (at >= 0) {
      const { slot, alterId } = legacy.ownerOf(at)
      return this.#end({ slot, legacy: { alterId, timeS } }, cost)
    }
    this.#at = to
    if (to < legacy.made) return cost
    this.#at = 0
    this.#turn++
    if (this.#turn > 2 * limits.clockSkewS) this.#finish()
    return cost
  }

  #affordable(legacy: LegacyTable, timeS: number, from: number, most: number): number {
    const known = legacy.made - from - legacy.missing(timeS, from, legacy.made)
    return Math.ceil(known > 0 ? Math.min(known, most * perKey) : most / costOfAuth)
  }

  #end(found: Found, cost: number): number {
    this.#over = true
    this.#match = this.#in.matched(found, this.#auth)
    return cost
  }
}

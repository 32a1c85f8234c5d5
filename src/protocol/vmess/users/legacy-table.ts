/**
 * The ids of all users who may authenticate in the legacy way, and what they authenticate with in each second of the window.
 * All of it is made when it is first needed: ids when somebody is looked for, seconds when they are looked at, so that a
 * server of AEAD clients alone does not pay for it. Of each authentication four bytes are kept.
 */
import { limits } from '../../../core/limits.ts'
import { equalBytes } from '../../../crypto/hash.ts'
import { hmacMd5Key, hmacMd5Second, hmacMd5Words, littleEndian } from '../../../crypto/md5-block.ts'
import { legacyAuth } from '../header/legacy-auth.ts'
import { nextAlterId } from './identity.ts'

interface LegacyUser {
  readonly id: Uint8Array
  /** How many alternative ids there are besides the primary one. */
  readonly alterId: number
  /** Where its ids begin; -1 before they are made. */
  at: number
}

interface Second {
  readonly words: Int32Array
  /** So many are computed, from the first id on. */
  filled: number
}

export class LegacyTable {
  readonly #wordsMax: number
  readonly #users = new Map<number, LegacyUser>()
  /** Users whose ids are still to be made. */
  readonly #waiting = new Set<number>()
  /** One id behind the other, with the keys of their HMACs and the slots of their users, -1 where one is gone. */
  #ids = new Uint8Array(0)
  #keys = new Int32Array(0)
  #slots = new Int32Array(0)
  #made = 0
  #gone = 0
  #wanted = 0
  #version = 0
  readonly #seconds = new Map<number, Second>()

  /** @param wordsMax how many authentications may be kept */
  constructor(wordsMax: number = limits.legacyWords) {
    this.#wordsMax = wordsMax
  }

  /** How many ids there are, made or not. */
  get size(): number {
    return this.#wanted
  }

  /** How many are made, those of users included who are gone. */
  get made(): number {
    return this.#made
  }

  /** Whether all are made. */
  get ready(): boolean {
    return this.#waiting.size === 0
  }

  /** Another number than before when ids stand in other places than before. */
  get version(): number {
    return this.#version
  }

  set(slot: number, id: Uint8Array, alterId: number): void {
    this.remove(slot)
    this.#users.set(slot, { id, alterId, at: -1 })
    this.#waiting.add(slot)
    this.#wanted += 1 + alterId
  }

  remove(slot: number): void {
    const user = this.#users.get(slot)
    if (!user) return
    this.#users.delete(slot)
    const count = 1 + user.alterId
    this.#wanted -= count
    if (this.#waiting.delete(slot)) return
    this.#slots.fill(-1, user.at, user.at + count)
    this.#gone += count
    if (this.#gone > this.#made >> 1) this.#beginAnew()
  }

  #beginAnew(): void {
    this.#version++
    this.#made = 0
    this.#gone = 0
    this.#seconds.clear()
    this.#hold(0, this.#wanted)
    for (const slot of this.#users.keys()) this.#waiting.add(slot)
  }

  /** Makes the ids of one more user; returns how many these are. */
  make(): number {
    const [slot] = this.#waiting
    const user = slot === undefined ? undefined : this.#users.get(slot)
    if (slot === undefined || !user) return 0
    this.#waiting.delete(slot)
    const count = 1 + user.alterId
    if (this.#made + count > this.#slots.length) this.#hold(this.#made, Math.max(this.#wanted, this.#made + count))
    user.at = this.#made
    let id = user.id
    for (let n = 0; n < count; n++, this.#made++) {
      if (n > 0) id = nextAlterId(id)
      this.#ids.set(id, 16 * this.#made)
      hmacMd5Key(id, this.#keys, hmacMd5Words * this.#made)
      this.#slots[this.#made] = slot
    }
    return count
  }

  /** Room for so many ids, the first `kept` of which stay; seconds are computed anew. */
  #hold(kept: number, size: number): void {
    const [ids, keys, slots] = [this.#ids, this.#keys, this.#slots]
    this.#ids = new Uint8Array(16 * size)
    this.#keys = new Int32Array(hmacMd5Words * size)
    this.#slots = new Int32Array(size)
    this.#ids.set(ids.subarray(0, 16 * kept))
    this.#keys.set(keys.subarray(0, hmacMd5Words * kept))
    this.#slots.set(slots.subarray(0, kept))
    this.#seconds.clear()
  }

  /** How many authentications of from..to-1 in this second are still to be computed. */
  missing(timeS: number, from: number, to: number): number {
    return Math.max(0, to - Math.max(from, this.#seconds.get(timeS)?.filled ?? 0))
  }

  /** The first made id of from..to-1 that authenticates as `auth` in this second, or -1. @param nowS seconds near it are kept */
  find(auth: Uint8Array, timeS: number, nowS: number, from: number, to: number): number {
    const second = this.#seconds.get(timeS) ?? this.#open(timeS, nowS)
    const wanted = littleEndian(auth, 0)
    for (let at = from; at < to; at++) {
      const word = second && at < second.filled ? second.words[at]! : this.#compute(second, at, timeS)
      if (word === wanted && this.#slots[at]! >= 0 && equalBytes(legacyAuth(this.#idAt(at), timeS), auth)) return at
    }
    return -1
  }

  #compute(second: Second | undefined, at: number, timeS: number): number {
    const word = hmacMd5Second(this.#keys, hmacMd5Words * at, timeS)
    if (second?.filled === at) {
      second.words[at] = word
      second.filled++
    }
    return word
  }

  /** Where there is no room, the second that is the farthest from now gives its own; undefined when this one is that. */
  #open(timeS: number, nowS: number): Second | undefined {
    let words: Int32Array | undefined
    if ((this.#seconds.size + 1) * this.#slots.length > this.#wordsMax) {
      let farthest = timeS
      for (const other of this.#seconds.keys()) {
        if (Math.abs(other - nowS) > Math.abs(farthest - nowS)) farthest = other
      }
      if (farthest === timeS) return undefined
      words = this.#seconds.get(farthest)!.words
      this.#seconds.delete(farthest)
    }
    const second = { words: words ?? new Int32Array(this.#slots.length), filled: 0 }
    this.#seconds.set(timeS, second)
    return second
  }

  #idAt(at: number): Uint8Array {
    return this.#ids.subarray(16 * at, 16 * at + 16)
  }

  /** Whose id it is, and which: 0 for the primary one, n for the nth alternative. */
  ownerOf(at: number): { readonly slot: number; readonly alterId: number } {
    const slot = this.#slots[at]!
    return { slot, alterId: at - this.#users.get(slot)!.at }
  }
}

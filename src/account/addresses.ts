import { addressKey } from '../core/address.ts'
import type { Cancel, Clock } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { UserLimits } from '../core/user-limits.ts'
import type { Member } from './book.ts'

/** An address that a user is connected from. */
interface Place {
  readonly members: Set<Member>
  /** Bytes of connections that have ended. */
  gone: number
  /** All bytes at the latest look. */
  seen: number
  /** When a look found that bytes had passed since the look before. */
  usedAt: number
  /** When it came, or began to be one too many. */
  readonly since: number
}

/**
 * The addresses that one user is connected from, held to a limit. A device that moves to another network shows up at a new
 * address before the old one is seen to be dead, so a new address too many is on trial for the grace time. Then either an
 * older one has carried nothing meanwhile and was left behind, or the new one is one device too many. Bytes are looked at
 * only when an address comes and when a trial ends.
 */
export class Addresses {
  readonly #clock: Clock
  #limit = 0
  #graceMs = 0
  /** In the order in which they came. */
  readonly #settled = new Map<string, Place>()
  /** A trial goes on while there is no connection: a device that keeps none open would never be judged. */
  readonly #trials = new Map<string, Place>()
  /** Had their trial, and stay outside until there is room. */
  readonly #refused = new Set<string>()
  #cancel: Cancel | undefined

  constructor(clock: Clock, given: UserLimits) {
    this.#clock = clock
    this.limit(given)
  }

  /** Holds at once. What is too many by a lower limit is on trial from now on, the latest first. */
  limit({ addresses, addressGraceS }: UserLimits): void {
    this.#limit = addresses || Number.POSITIVE_INFINITY
    this.#graceMs = addressGraceS * 1000
    if (this.#settled.size > this.#limit) {
      this.#look()
      for (const [key, place] of [...this.#settled].slice(this.#limit)) {
        this.#settled.delete(key)
        this.#trials.set(key, { ...place, since: this.#clock.elapsed() })
      }
    }
    this.#judge()
  }

  /** Throws ProxyError USER_ADDRESSES. */
  admit(member: Member): void {
    const key = addressKey(member.host)
    const known = this.#settled.get(key) ?? this.#trials.get(key)
    if (known) known.members.add(member)
    else if (this.#settled.size < this.#limit) this.#settled.set(key, this.#place(member))
    else this.#admitOverLimit(key, member)
  }

  /** Takes in one that is connected already, whatever the limit: see limit(). */
  adopt(member: Member): void {
    const key = addressKey(member.host)
    const known = this.#settled.get(key) ?? this.#trials.get(key)
    if (known) known.members.add(member)
    else this.#settled.set(key, this.#place(member))
  }

  #admitOverLimit(key: string, member: Member): void {
    this.#look()
    const now = this.#clock.elapsed()
    const refused = this.#refused.has(key)
    if (this.#graceMs === 0 || (!refused && this.#trials.size >= this.#limit)) throw this.#tooMany()
    if (!refused) {
      this.#trials.set(key, this.#place(member))
      this.#arm()
      return
    }
    if (!this.#replace((place) => now - place.usedAt >= this.#graceMs)) throw this.#tooMany()
    this.#refused.delete(key)
    this.#settled.set(key, this.#place(member))
  }

  leave(member: Member): void {
    const key = addressKey(member.host)
    const place = this.#settled.get(key) ?? this.#trials.get(key)
    if (!place?.members.delete(member)) return
    place.gone += bytesOf(member)
    if (place.members.size > 0 || !this.#settled.delete(key)) return
    this.#refused.clear()
    this.#fillUp()
    this.#arm()
  }

  #place(member: Member): Place {
    const now = this.#clock.elapsed()
    return { members: new Set([member]), gone: 0, seen: 0, usedAt: now, since: now }
  }

  #look(): void {
    const now = this.#clock.elapsed()
    for (const place of [...this.#settled.values(), ...this.#trials.values()]) {
      let bytes = place.gone
      for (const member of place.members) bytes += bytesOf(member)
      if (bytes !== place.seen) place.usedAt = now
      place.seen = bytes
    }
  }

  /** Ends the trials that have lasted for the grace time. */
  #judge(): void {
    this.#fillUp()
    if (this.#trials.size > 0) this.#look()
    for (const [key, trial] of [...this.#trials]) {
      const lasted = this.#clock.elapsed() - trial.since
      if (lasted >= 0 && lasted < this.#graceMs) continue
      this.#trials.delete(key)
      if (this.#graceMs > 0 && this.#someUnused(trial)) {
        if (trial.members.size === 0) continue
        this.#replace((place) => place.usedAt <= trial.since)
        this.#settled.set(key, trial)
      } else {
        this.#refuse(key)
        end(trial, this.#tooMany())
      }
    }
    this.#arm()
  }

  #someUnused(trial: Place): boolean {
    for (const place of this.#settled.values()) if (place.usedAt <= trial.since) return true
    return false
  }

  /** Ends, of those that `may` go, the one that is unused for the longest time; false when there is none. */
  #replace(may: (place: Place) => boolean): boolean {
    const [key, place] =
      [...this.#settled].filter(([, it]) => may(it)).sort(([, a], [, b]) => a.usedAt - b.usedAt)[0] ?? []
    if (key === undefined || !place) return false
    this.#settled.delete(key)
    end(place, new ProxyError('USER_ADDRESSES', 'the address was left behind: the user has gone on to another'))
    return true
  }

  #refuse(key: string): void {
    this.#refused.add(key)
    if (this.#refused.size > limits.refusedAddresses) this.#refused.delete(this.#refused.values().next().value!)
  }

  /** Where there is room a trial is over. */
  #fillUp(): void {
    for (const [key, place] of this.#trials) {
      if (this.#settled.size >= this.#limit) return
      this.#trials.delete(key)
      if (place.members.size > 0) this.#settled.set(key, place)
    }
    if (this.#settled.size < this.#limit) this.#refused.clear()
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#trials.size === 0) return
    const since = Math.min(...[...this.#trials.values()].map((trial) => trial.since))
    const left = since + this.#graceMs - this.#clock.elapsed()
    this.#cancel = this.#clock.after(Math.max(0, Math.min(left, this.#graceMs)), () => this.#judge())
  }

  #tooMany(): ProxyError {
    const many = this.#limit === 1 ? 'another address' : `${this.#limit} other addresses`
    return new ProxyError('USER_ADDRESSES', `the user is connected from ${many}, as many as permitted`)
  }
}

const bytesOf = ({ totals }: Member): number => totals.uplink + totals.downlink

function end(place: Place, reason: ProxyError): void {
  for (const member of place.members) member.end(reason)
}

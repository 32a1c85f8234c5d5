/**
 * What must not come twice: AuthIDs, and sessions by (id, key, IV).
 *
 * Both memories are exact and bounded. When one is full, what has the oldest time goes, and from then on everything that
 * carries a time not after that counts as seen: under a flood the window narrows, a replay never passes.
 */
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

/**
 * What a ServerSession asks of a memory of authentications. Answers at once: a memory that several threads or machines
 * share keeps a part of its own for each of them, or lies in memory that they share.
 */
export interface SeenAuths {
  /** Whether this authentication was remembered, or may have been. @param timeS the time that it carries, Unix seconds */
  seen(authId: Uint8Array, timeS: number): boolean
  /**
   * Only for what has proved to come from the user: strangers must not be able to fill the memory. False when it was there
   * already, or may have been: of several who bring the same at once, in whatever threads, one is told true.
   */
  remember(authId: Uint8Array, timeS: number): boolean
}

/** What a ServerSession asks of a memory of sessions. Answers at once, as SeenAuths do. */
export interface SeenSessions {
  /**
   * Enters a session; false when it was there already, or may have been.
   * @param timeS the time that its authentication carries, Unix seconds
   */
  enter(id: Uint8Array, key: Uint8Array, iv: Uint8Array, timeS: number): boolean
}

interface Bucket {
  readonly keys: string[]
  /** The latest time that one of its entries carries. */
  latestS: number
}

/** Keys that expire together share a bucket, so that a second's worth is forgotten at once. */
class ExpiringSet {
  readonly #clock: Pick<Clock, 'now'>
  readonly #capacity: number
  readonly #keys = new Set<string>()
  readonly #buckets = new Map<number, Bucket>()
  /** Everything that carries a time up to this one counts as seen. */
  #floorS = Number.NEGATIVE_INFINITY
  #purgedS = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'now'>, capacity: number) {
    this.#clock = clock
    this.#capacity = capacity
  }

  get nowS(): number {
    return Math.floor(this.#clock.now() / 1000)
  }

  get size(): number {
    this.#purge()
    return this.#keys.size
  }

  has(key: string, timeS: number): boolean {
    this.#purge()
    return timeS <= this.#floorS || this.#keys.has(key)
  }

  /** False when it was there, or may have been. */
  add(key: string, timeS: number, expiresS: number): boolean {
    if (this.has(key, timeS)) return false
    this.#keys.add(key)
    const bucket = this.#buckets.get(expiresS)
    if (bucket === undefined) this.#buckets.set(expiresS, { keys: [key], latestS: timeS })
    else {
      bucket.keys.push(key)
      bucket.latestS = Math.max(bucket.latestS, timeS)
    }
    if (this.#keys.size > this.#capacity) this.#drop(Math.min(...this.#buckets.keys()))
    return true
  }

  /** Looks through the buckets once a second: there are only as many as the window has seconds. */
  #purge(): void {
    const nowS = this.nowS
    if (nowS <= this.#purgedS) return
    this.#purgedS = nowS
    for (const expiresS of this.#buckets.keys()) if (expiresS < nowS) this.#drop(expiresS)
  }

  #drop(expiresS: number): void {
    const bucket = this.#buckets.get(expiresS)!
    this.#buckets.delete(expiresS)
    for (const key of bucket.keys) this.#keys.delete(key)
    this.#floorS = Math.max(this.#floorS, bucket.latestS)
  }
}

/** One character per byte: the most compact key that a Set takes. */
function keyOf(bytes: Uint8Array): string {
  let key = ''
  // Eight at a time, and named: spreading them would make an object for every byte.
  for (let i = 0; i < bytes.length; i += 8) key += keyOfEight(bytes, i)
  return key
}

const keyOfEight = (b: Uint8Array, i: number): string =>
  String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!)

/** Remembers authentications until their own time is out of the window. */
export class ReplayMemory implements SeenAuths {
  readonly #set: ExpiringSet

  constructor(clock: Pick<Clock, 'now'>, capacity: number = limits.replayEntries) {
    this.#set = new ExpiringSet(clock, capacity)
  }

  get size(): number {
    return this.#set.size
  }

  seen(authId: Uint8Array, timeS: number): boolean {
    return this.#set.has(keyOf(authId), timeS)
  }

  remember(authId: Uint8Array, timeS: number): boolean {
    return this.#set.add(keyOf(authId), timeS, timeS + limits.clockSkewS)
  }
}

/** Remembers sessions for three minutes, and for as long as their authentication could be used again. */
export class SessionHistory implements SeenSessions {
  readonly #set: ExpiringSet

  constructor(clock: Pick<Clock, 'now'>, capacity: number = limits.replayEntries) {
    this.#set = new ExpiringSet(clock, capacity)
  }

  get size(): number {
    return this.#set.size
  }

  enter(id: Uint8Array, key: Uint8Array, iv: Uint8Array, timeS: number): boolean {
    const name = keyOf(id) + keyOf(key) + keyOf(iv)
    const expiresS = Math.max(this.#set.nowS + limits.sessionHistoryS, timeS + limits.clockSkewS)
    return this.#set.add(name, timeS, expiresS)
  }
}

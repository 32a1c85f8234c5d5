import { Lock } from './lock.ts'

/** Seconds that can be told apart: more than anything is remembered for. A power of two. */
const ring = 512
/** Words in front: the lock and what it guards. */
const at = { lock: 0, size: 1, free: 2, used: 3, floor: 4, purged: 5 } as const
const headWords = 8
/** Of a second: its first entry, when it expires, and the latest time that one of its entries carries. */
const bucketWords = 3
const never = -0x8000_0000

/** Where a table lies: it can be sent to other threads. */
export interface TableMemory {
  readonly memory: SharedArrayBuffer
  /** Words of 32 bits in a key. */
  readonly keyWords: number
  readonly capacity: number
  /** Unix seconds from which its times count. */
  readonly epochS: number
  /** Makes keys fall elsewhere in every program: nobody can choose them to fall on one heap. */
  readonly seed: number
}

/** @param capacity entries */
export function createTable(keyWords: number, capacity: number, epochS: number, seed: number): TableMemory {
  const words = headWords + ring * bucketWords + slotsFor(capacity) + capacity * (keyWords + 2)
  const memory = new SharedArrayBuffer(words * 4)
  const view = new Int32Array(memory)
  view[at.floor] = never
  view[at.purged] = never
  return { memory, keyWords, capacity, epochS, seed }
}

const slotsFor = (capacity: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, capacity)))

/**
 * Keys that are forgotten at a time of their own, exact and bounded, for all threads that have its memory. When it is full
 * the second that expires first goes, and from then on everything that carries a time not after its latest counts as there.
 *
 * Entries lie in the order in which they came, so that memory is touched as it is needed; each is in two lists, by the hash of
 * its key and by the second in which it expires. Numbers of entries are from 1, 0 ends a list. Nothing is made while the lock
 * is held: a thread whose heap is full would end there.
 */
export class ExpiringTable {
  readonly #lock: Lock
  readonly #words: Int32Array
  readonly #table: TableMemory
  readonly #slots: number
  readonly #slotsAt: number
  readonly #entriesAt: number
  readonly #stride: number

  /** @param who as Lock */
  constructor(table: TableMemory, who: number) {
    this.#table = table
    this.#words = new Int32Array(table.memory)
    this.#lock = new Lock(this.#words, at.lock, who)
    this.#slots = slotsFor(table.capacity)
    this.#slotsAt = headWords + ring * bucketWords
    this.#entriesAt = this.#slotsAt + this.#slots
    this.#stride = table.keyWords + 2
  }

  get size(): number {
    return Atomics.load(this.#words, at.size)
  }

  /** Whether the key is there, or may have been. Times are Unix seconds. */
  has(key: Int32Array, timeS: number, nowS: number): boolean {
    this.#lock.acquire()
    try {
      this.#purge(this.#relative(nowS))
      return this.#relative(timeS) <= this.#words[at.floor]! || this.#find(key, this.#hash(key, 0)) !== 0
    } finally {
      this.#lock.release()
    }
  }

  /** False when it was there, or may have been. */
  add(key: Int32Array, timeS: number, expiresS: number, nowS: number): boolean {
    this.#lock.acquire()
    try {
      const words = this.#words
      const time = this.#relative(timeS)
      this.#purge(this.#relative(nowS))
      const slot = this.#hash(key, 0)
      if (time <= words[at.floor]! || this.#find(key, slot) !== 0) return false
      if (words[at.size]! >= this.#table.capacity) {
        this.#dropFirst()
        if (time <= words[at.floor]!) return false
      }
      this.#insert(key, slot, time, this.#relative(expiresS))
      return true
    } finally {
      this.#lock.release()
    }
  }

  /** A thread has ended, perhaps in the middle. */
  forget(who: number): void {
    this.#lock.forget(who)
  }

  #relative(timeS: number): number {
    return Math.max(never + 1, Math.min(0x7fff_ffff, timeS - this.#table.epochS))
  }

  /** Of the key that begins there. */
  #hash(words: Int32Array, from: number): number {
    const { seed, keyWords } = this.#table
    let hash = seed
    for (let i = from; i < from + keyWords; i++) hash = Math.imul(hash ^ words[i]!, 0x9e37_79b1) ^ (hash >>> 15)
    hash ^= hash >>> 16
    return this.#slotsAt + (hash & (this.#slots - 1))
  }

  #entry(number: number): number {
    return this.#entriesAt + (number - 1) * this.#stride
  }

  #find(key: Int32Array, slot: number): number {
    const words = this.#words
    const { keyWords } = this.#table
    for (let number = words[slot]!; number !== 0; ) {
      const entry = this.#entry(number)
      let i = 0
      while (i < keyWords && words[entry + i] === key[i]) i++
      if (i === keyWords) return number
      number = words[entry + keyWords]!
    }
    return 0
  }

  #insert(key: Int32Array, slot: number, time: number, expires: number): void {
    const words = this.#words
    const { keyWords } = this.#table
    let number = words[at.free]!
    if (number !== 0) words[at.free] = words[this.#entry(number) + keyWords]!
    else {
      number = words[at.used]! + 1
      words[at.used] = number
    }
    const entry = this.#entry(number)
    words.set(key, entry)
    words[entry + keyWords] = words[slot]!
    words[slot] = number
    const bucket = bucketOf(expires)
    const fresh = words[bucket] === 0
    words[entry + keyWords + 1] = words[bucket]!
    words[bucket] = number
    // After the clock was set back two seconds may share a bucket: then both last as long as the later one.
    words[bucket + 1] = fresh ? expires : Math.max(words[bucket + 1]!, expires)
    words[bucket + 2] = fresh ? time : Math.max(words[bucket + 2]!, time)
    words[at.size] = words[at.size]! + 1
  }

  /** Looks through the seconds once in each. */
  #purge(now: number): void {
    const words = this.#words
    if (now <= words[at.purged]!) return
    words[at.purged] = now
    if (words[at.size] === 0) return
    for (let i = 0; i < ring; i++) {
      const bucket = headWords + i * bucketWords
      if (words[bucket] !== 0 && words[bucket + 1]! < now) this.#drop(bucket)
    }
  }

  #dropFirst(): void {
    const words = this.#words
    let first = 0
    for (let i = 0; i < ring; i++) {
      const bucket = headWords + i * bucketWords
      if (words[bucket] !== 0 && (first === 0 || words[bucket + 1]! < words[first + 1]!)) first = bucket
    }
    if (first !== 0) this.#drop(first)
  }

  #drop(bucket: number): void {
    const words = this.#words
    const { keyWords } = this.#table
    for (let number = words[bucket]!; number !== 0; ) {
      const entry = this.#entry(number)
      const next = words[entry + keyWords + 1]!
      this.#unlink(number, this.#hash(words, entry))
      words[entry + keyWords] = words[at.free]!
      words[at.free] = number
      words[at.size] = words[at.size]! - 1
      number = next
    }
    words[at.floor] = Math.max(words[at.floor]!, words[bucket + 2]!)
    words[bucket] = 0
  }

  #unlink(number: number, slot: number): void {
    const words = this.#words
    const { keyWords } = this.#table
    let link = slot
    while (words[link] !== number && words[link] !== 0) link = this.#entry(words[link]!) + keyWords
    if (words[link] === number) words[link] = words[this.#entry(number) + keyWords]!
  }
}

const bucketOf = (expires: number): number => headWords + (expires & (ring - 1)) * bucketWords

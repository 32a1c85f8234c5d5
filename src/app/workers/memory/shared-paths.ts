import { endpointPort } from '../../../core/address.ts'
import type { OwnPaths, Path, Paths } from '../../flow/own-paths.ts'
import { Lock } from './lock.ts'

/** Flows of ours that leave from one port number at once, from different addresses of this machine. */
const ways = 2
/** Words of one: who wrote it (0: nobody), the hash of its endpoint, how many marks there are, and the marks. */
const entryWords = 16
const at = { writer: 0, endpoint: 1, marks: 2 } as const
/** Of a longer path the latest inbounds are kept: a loop has to be longer than this not to be noticed. */
const marksKept = entryWords - 3
const ports = 65_536
const tableWords = 1 + ports * ways * entryWords

/** Where paths lie that all threads see. Untouched pages of it are no memory. */
export interface PathsMemory {
  readonly streams: SharedArrayBuffer
  readonly datagrams: SharedArrayBuffer
  /** A byte for each port. */
  readonly listening: SharedArrayBuffer
}

export const createPaths = (): PathsMemory => ({
  streams: new SharedArrayBuffer(tableWords * 4),
  datagrams: new SharedArrayBuffer(tableWords * 4),
  listening: new SharedArrayBuffer(ports),
})

export interface SharedPaths extends OwnPaths {
  /** Another thread has ended: its sockets are gone, and others may get their ports. */
  forget(who: number): void
}

/** @param who this thread, from 0 */
export function sharedPaths(memory: PathsMemory, who: number): SharedPaths {
  const streams = new PathTable(memory.streams, who)
  const datagrams = new PathTable(memory.datagrams, who)
  const listening = new Uint8Array(memory.listening)
  return {
    streams,
    datagrams,
    listening: (port) => void Atomics.store(listening, port, 1),
    isOurs: (port) => Atomics.load(listening, port) === 1,
    mark: (inbound) => String(hash(inbound)),
    forget(other) {
      streams.forget(other)
      datagrams.forget(other)
    },
  }
}

/** Paths by the port of their endpoint. A look-up that finds nothing, as almost all do, takes no lock. */
class PathTable implements Paths {
  readonly #words: Int32Array
  readonly #lock: Lock
  readonly #writer: number

  constructor(memory: SharedArrayBuffer, who: number) {
    this.#words = new Int32Array(memory)
    this.#lock = new Lock(this.#words, 0, who)
    this.#writer = who + 1
  }

  get(endpoint: string): Path | undefined {
    const first = firstOf(endpoint)
    if (this.#entry(first, (entry) => Atomics.load(this.#words, entry) !== 0) < 0) return undefined
    return this.#locked(() => {
      const entry = this.#find(first, endpoint)
      if (entry < 0) return undefined
      const from = entry + at.marks + 1
      return Array.from(this.#words.subarray(from, from + this.#words[entry + at.marks]!), String)
    })
  }

  /** Where there is no room it is not remembered. */
  set(endpoint: string, path: Path): void {
    const first = firstOf(endpoint)
    this.#locked(() => {
      const words = this.#words
      const known = this.#find(first, endpoint)
      const entry = known >= 0 ? known : this.#entry(first, (entry) => words[entry] === 0)
      if (entry < 0) return
      const marks = path.slice(-marksKept)
      words[entry + at.endpoint] = hash(endpoint)
      words[entry + at.marks] = marks.length
      for (const [i, mark] of marks.entries()) words[entry + at.marks + 1 + i] = Number(mark)
      Atomics.store(words, entry, this.#writer)
    })
  }

  delete(endpoint: string): void {
    const first = firstOf(endpoint)
    this.#locked(() => {
      const entry = this.#find(first, endpoint)
      if (entry >= 0) Atomics.store(this.#words, entry, 0)
    })
  }

  forget(who: number): void {
    this.#lock.forget(who)
    this.#locked(() => {
      for (let entry = 1; entry < tableWords; entry += entryWords) {
        if (this.#words[entry] === who + 1) Atomics.store(this.#words, entry, 0)
      }
    })
  }

  #find(first: number, endpoint: string): number {
    const wanted = hash(endpoint)
    return this.#entry(first, (entry) => this.#words[entry] !== 0 && this.#words[entry + at.endpoint] === wanted)
  }

  /** -1: there is none. */
  #entry(first: number, is: (entry: number) => boolean): number {
    for (let i = 0; i < ways; i++) if (is(first + i * entryWords)) return first + i * entryWords
    return -1
  }

  #locked<T>(run: () => T): T {
    this.#lock.acquire()
    try {
      return run()
    } finally {
      this.#lock.release()
    }
  }
}

const firstOf = (endpoint: string): number => 1 + (endpointPort(endpoint) & (ports - 1)) * ways * entryWords

/** FNV-1a: a number of 32 bits for a tag or an endpoint. */
function hash(text: string): number {
  let sum = 0x811c9dc5 | 0
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum
}

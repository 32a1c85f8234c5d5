import { limits } from '../limits.ts'

/** Copies of the datagrams that wait for something: the latest `most` of them, in `mostBytes` together. */
export class WaitingPackets<A> {
  #waiting: { readonly bytes: Uint8Array; readonly about: A }[] = []
  #bytes = 0
  readonly #most: number
  readonly #mostBytes: number

  constructor(most: number = limits.packetsWaiting, mostBytes = Number.POSITIVE_INFINITY) {
    this.#most = most
    this.#mostBytes = mostBytes
  }

  /** Takes a copy, and says how many had to go for it, the oldest first; it may be the one that did not fit. */
  add(bytes: Uint8Array, about: A): number {
    if (bytes.length > this.#mostBytes) return 1
    this.#waiting.push({ bytes: new Uint8Array(bytes), about })
    this.#bytes += bytes.length
    let gone = 0
    while (this.#waiting.length > this.#most || this.#bytes > this.#mostBytes) {
      this.#bytes -= this.#waiting.shift()!.bytes.length
      gone++
    }
    return gone
  }

  /** Hands out all, in their order, and holds none any more. */
  release(to: (bytes: Uint8Array, about: A) => void): void {
    for (const { bytes, about } of this.#empty()) to(bytes, about)
  }

  /** Forgets all, and says how many they were. */
  drop(): number {
    return this.#empty().length
  }

  #empty() {
    this.#bytes = 0
    return this.#waiting.splice(0)
  }
}

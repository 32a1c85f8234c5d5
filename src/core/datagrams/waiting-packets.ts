import { limits } from '../limits.ts'

/** Copies of the datagrams that wait for something, the latest `most` of them. */
export class WaitingPackets<A> {
  #waiting: { readonly bytes: Uint8Array; readonly about: A }[] = []
  readonly #most: number

  constructor(most: number = limits.packetsWaiting) {
    this.#most = most
  }

  /** Takes a copy. False when the oldest had to go for it. */
  add(bytes: Uint8Array, about: A): boolean {
    this.#waiting.push({ bytes: new Uint8Array(bytes), about })
    if (this.#waiting.length <= this.#most) return true
    this.#waiting.shift()
    return false
  }

  /** Hands out all, in their order, and holds none any more. */
  release(to: (bytes: Uint8Array, about: A) => void): void {
    for (const { bytes, about } of this.#waiting.splice(0)) to(bytes, about)
  }

  /** Forgets all, and says how many they were. */
  drop(): number {
    return this.#waiting.splice(0).length
  }
}

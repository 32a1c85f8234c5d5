import { helloLength } from './client-hello.ts'

/** Content type of handshake messages, and the head of a record. */
const handshake = 22
const recordHead = 5

/**
 * Collects the ClientHello of a connection out of its records, cut anywhere. What is none is known by its first six bytes
 * but for one in 2^30 of random ones, whose alleged length is then waited for.
 */
export class HelloCollector {
  readonly #max: number
  readonly #head = new Uint8Array(recordHead)
  #headLength = 0
  /** Bytes of the record that are still to come. */
  #left = 0
  #hello = new Uint8Array(1024)
  #length = 0

  /** `max`: bytes that the hello may have. */
  constructor(max: number) {
    this.#max = max
  }

  /**
   * The whole hello, its type and length included, once it is there; valid until the collector is gone. `'no'`: these bytes
   * are no hello, or one that is too long; push no more then.
   */
  push(bytes: Uint8Array): Uint8Array | 'undecided' | 'no' {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        if (!this.#takeHead(bytes[at++]!)) return 'no'
        continue
      }
      const part = bytes.subarray(at, at + this.#left)
      this.#store(part)
      at += part.length
      this.#left -= part.length
      const whole = helloLength(this.#hello.subarray(0, this.#length))
      if (whole === 'no' || (whole ?? 0) > this.#max) return 'no'
      if (whole !== undefined && this.#length >= whole) return this.#hello.subarray(0, whole)
      if (this.#length > this.#max) return 'no'
    }
    return 'undecided'
  }

  /** A byte of the head of a record; false: it is none of TLS 1.0 to 1.3 with a part of a handshake. */
  #takeHead(byte: number): boolean {
    const at = this.#headLength++
    this.#head[at] = byte
    if (at === 0) return byte === handshake
    if (at === 1) return byte === 3
    if (at === 2) return byte <= 4
    if (at < recordHead - 1) return true
    this.#headLength = 0
    this.#left = (this.#head[3]! << 8) | byte
    return this.#left > 0 && this.#left <= 2 ** 14
  }

  #store(part: Uint8Array): void {
    const length = this.#length + part.length
    if (length > this.#hello.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#hello.length))
      larger.set(this.#hello.subarray(0, this.#length))
      this.#hello = larger
    }
    this.#hello.set(part, this.#length)
    this.#length = length
  }
}

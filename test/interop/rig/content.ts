/** Deterministic bytes, so that both ends of a transfer know what must arrive without sending it another way. */

import { type Cipher, createCipheriv } from 'node:crypto'

/** An endless stream of bytes that never repeats; the same seed gives the same bytes. */
export class Content {
  readonly #keystream: Cipher

  constructor(seed: number) {
    const key = Buffer.alloc(16)
    key.writeUInt32BE(seed >>> 0)
    this.#keystream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  }

  next(length: number): Buffer {
    return this.#keystream.update(Buffer.alloc(length))
  }
}

/** The reading side: throws at the first byte that is not the stream's next one. */
export class ExpectedContent {
  readonly #content: Content
  readonly #what: string
  #at = 0

  constructor(seed: number, what: string) {
    this.#content = new Content(seed)
    this.#what = what
  }

  /** Bytes checked so far, all of them right. */
  get length(): number {
    return this.#at
  }

  check(bytes: Buffer): void {
    const expected = this.#content.next(bytes.length)
    if (!expected.equals(bytes)) {
      const offset = bytes.findIndex((byte, i) => byte !== expected[i])
      throw new Error(
        `${this.#what}: byte ${this.#at + offset} is ${bytes[offset]}, not ${expected[offset]} (in a piece of ${bytes.length})`,
      )
    }
    this.#at += bytes.length
  }
}

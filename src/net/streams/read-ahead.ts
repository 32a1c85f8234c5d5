import type { Duplex } from 'node:stream'

/** What was read of a stream and nobody has taken yet. */
export class ReadAhead {
  #pieces: Uint8Array[] = []
  /** Bytes. */
  size = 0

  /** Owns `bytes`. */
  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
    this.size += bytes.length
  }

  /** In front of everything; owns `bytes`. */
  unshift(bytes: Uint8Array): void {
    this.#pieces.unshift(bytes)
    this.size += bytes.length
  }

  shift(): Uint8Array | undefined {
    const bytes = this.#pieces.shift()
    if (bytes) this.size -= bytes.length
    return bytes
  }

  /** Puts everything back into the stream that it came from, which nobody hears. */
  returnTo(stream: Duplex): void {
    // A stream that flows would drop it.
    stream.pause()
    for (let bytes = this.#pieces.pop(); bytes; bytes = this.#pieces.pop()) stream.unshift(bytes)
    this.size = 0
  }
}

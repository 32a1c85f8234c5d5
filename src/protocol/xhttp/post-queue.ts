/**
 * Numbered uploads on their way to a reader, in whatever order they come. Each has its place kept before its bytes are read,
 * so that no more are held than is allowed, however many come at once.
 */
export class PostQueue {
  readonly #maxPosts: number
  readonly #maxBytes: number
  readonly #here = new Map<number, Uint8Array>()
  /** Bytes that were announced, of those that are being read. */
  readonly #coming = new Map<number, number>()
  #bytes = 0
  #next = 0

  /** How many may wait, and how many bytes they may have together; the one whose turn it is always may. */
  constructor({ maxPosts, maxBytes }: { readonly maxPosts: number; readonly maxBytes: number }) {
    this.#maxPosts = maxPosts
    this.#maxBytes = maxBytes
  }

  /** Bytes of what is here or being read. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether the reader waits for this one, or has had it. */
  due(seq: number): boolean {
    return seq <= this.#next
  }

  /** Whether it was read, or is here. */
  repeated(seq: number): boolean {
    return seq < this.#next || this.#here.has(seq)
  }

  /** Keeps a place for one that is not repeated. False: there is none, or the same one is being read. */
  reserve(seq: number, bytes: number): boolean {
    if (this.#coming.has(seq)) return false
    const full = this.#here.size + this.#coming.size >= this.#maxPosts || this.#bytes + bytes > this.#maxBytes
    if (full && !this.due(seq)) return false
    this.#coming.set(seq, bytes)
    this.#bytes += bytes
    return true
  }

  /** It came, into the place that was kept for it; undefined: it did not. Takes ownership of `bytes`. */
  settle(seq: number, bytes: Uint8Array | undefined): void {
    const announced = this.#coming.get(seq)
    if (announced === undefined) return
    this.#coming.delete(seq)
    this.#bytes -= announced
    if (!bytes) return
    this.#here.set(seq, bytes)
    this.#bytes += bytes.length
  }

  /** The next in order, which may be empty; undefined while it is not here. */
  take(): Uint8Array | undefined {
    const bytes = this.#here.get(this.#next)
    if (!bytes) return undefined
    this.#here.delete(this.#next++)
    this.#bytes -= bytes.length
    return bytes
  }

  /** Lets go of everything. */
  clear(): void {
    this.#here.clear()
    this.#coming.clear()
    this.#bytes = 0
  }
}

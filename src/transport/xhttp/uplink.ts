import type { Conn, Sink } from '../../core/conn.ts'
import { lend } from '../../core/streams/lend.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'
import type { PostQueue } from '../../protocol/xhttp/post-queue.ts'

/** What a server reads of a session: numbered posts in their order, or one stream. */
export class Uplink {
  readonly #posts: PostQueue
  readonly #taken: () => void
  #stream: Conn | undefined
  #gone: Error | undefined
  /** Rejects when it is over; somebody waits for it only while reading. */
  readonly #over: Deferred<never> = deferred()
  #more: Deferred<void> | undefined

  /** `taken` runs whenever the reader has taken a post. */
  constructor(posts: PostQueue, taken: () => void) {
    this.#posts = posts
    this.#taken = taken
    this.#over.promise.catch(() => {})
  }

  /** What is written is read from this stream from now on. False: there is one already. */
  attach(stream: Conn): boolean {
    if (this.#stream) return false
    this.#stream = stream
    this.#wake()
    return true
  }

  get streamed(): boolean {
    return this.#stream !== undefined
  }

  /** A post was put into the queue. */
  arrived(): void {
    this.#wake()
  }

  /** Whoever reads, now or later, is told; a stream ends too. */
  end(why: Error): void {
    if (this.#gone) return
    this.#gone = why
    this.#over.reject(why)
    this.#stream?.destroy(why)
    this.#wake()
  }

  #wake(): void {
    this.#more?.resolve()
    this.#more = undefined
  }

  /** The next post that is not empty; undefined: there is a stream from here on. */
  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#gone) throw this.#gone
      const bytes = this.#posts.take()
      if (bytes) {
        this.#taken()
        if (bytes.length > 0) return bytes
      } else if (this.#stream) return undefined
      else {
        this.#more ??= deferred()
        await this.#more.promise
      }
    }
  }

  async read(): Promise<Uint8Array | null> {
    return (await this.#next()) ?? this.#stream!.read()
  }

  async drainTo(sink: Sink): Promise<void> {
    for (;;) {
      const bytes = await this.#next()
      if (!bytes) return this.#stream!.drainTo(sink)
      const wait = lend(bytes, sink)
      if (wait) await Promise.race([wait, this.#over.promise])
    }
  }
}

import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { dialDeadline } from '../../core/time/deadline.ts'
import { closedHere, closedInOrder } from '../../net/errors.ts'
import type { ClientStream } from './model.ts'

/** A server that refuses one stream after the other wants none. */
const mostTries = 3

/**
 * The Conn in a request that is made again on another session when the server refused it unseen: it had said GOAWAY, or took
 * no more streams, when the request came. Until there is an answer it keeps what is written, up to `limits.http2Resent`.
 */
export class RetriedConn implements Conn {
  readonly #clock: Clock
  readonly #request: (until: Lifetime) => Promise<ClientStream>
  readonly #life = new Life()
  #stream: ClientStream
  /** Written and not answered; undefined: there is an answer, or it was too much. */
  #kept: Uint8Array[] | undefined = []
  #keptBytes = 0
  #tries = 1
  /** Another request is being made. Never rejects. */
  #again: Promise<void> | undefined
  #flushed = false
  #holdsAtMost: number | undefined
  #readsAtMost: number | undefined
  #peerHalf: Life | undefined

  /** @param stream the first request, made this moment, @param request makes another */
  constructor(clock: Clock, stream: ClientStream, request: (until: Lifetime) => Promise<ClientStream>) {
    this.#clock = clock
    this.#request = request
    this.#stream = stream
    this.#begin(stream)
  }

  #begin(stream: ClientStream): void {
    this.#stream = stream
    stream.answer.then(
      () => this.#forget(),
      () => {}, // told as the end of the stream
    )
    stream.conn.onGone((why) => this.#over(stream, why))
  }

  #over(stream: ClientStream, why: Error): void {
    if (this.gone) return
    if (stream.refused && this.#kept && this.#tries < mostTries) this.#again = this.#retry()
    else {
      this.#forget()
      this.#life.end(why)
    }
  }

  async #retry(): Promise<void> {
    this.#tries++
    const { until, done } = dialDeadline(this.#clock, this)
    try {
      const stream = await this.#request(until)
      this.#again = undefined
      if (this.gone) stream.conn.destroy(this.gone)
      else this.#replay(stream)
    } catch (error) {
      this.#again = undefined
      this.#forget()
      this.#life.end(error as Error)
    } finally {
      done()
    }
  }

  #replay(stream: ClientStream): void {
    const { conn } = stream
    this.#begin(stream)
    if (this.#holdsAtMost !== undefined) conn.holdAtMost(this.#holdsAtMost)
    if (this.#readsAtMost !== undefined) conn.readAtMost?.(this.#readsAtMost)
    if (this.#peerHalf) this.#hearEnd(this.#peerHalf)
    // Not more than one write beyond the bound; what goes wrong shows as the end of the stream.
    for (const bytes of this.#kept ?? []) conn.write(bytes)?.catch(() => {})
    if (this.#flushed) Promise.resolve(conn.closeWrite()).catch(() => {})
  }

  #forget(): void {
    this.#kept = undefined
  }

  get info(): ConnInfo {
    return this.#stream.conn.info
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  /** Does it on the stream of the moment, and once more on the next one when this one was refused. */
  async #onEach<T>(run: (conn: Conn) => T | Promise<T>): Promise<T> {
    for (;;) {
      if (this.#again) await this.#again
      try {
        return await run(this.#stream.conn)
      } catch (error) {
        if (!this.#again) throw this.gone ?? error
      }
    }
  }

  /** When what was kept is on its way on another stream. */
  async #resent(): Promise<void> {
    while (this.#again) await this.#again
    if (this.gone) throw this.gone
  }

  read(): Promise<Uint8Array | null> {
    return this.#onEach((conn) => conn.read())
  }

  drainTo(sink: Sink): Promise<void> {
    return this.#onEach((conn) => conn.drainTo(sink))
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (!this.#kept) return this.#stream.conn.write(bytes, release)
    if (this.#again) {
      this.#keep(bytes)
      release?.()
      return this.#resent()
    }
    if (this.#keptBytes + bytes.length <= limits.http2Resent) this.#keep(bytes)
    else this.#forget()
    return this.#retried(this.#stream.conn.write(bytes, release))
  }

  /** What was to be waited for, or that it was written once more. */
  #retried(wait: void | Promise<void>): void | Promise<void> {
    if (!this.#kept) return wait
    return wait?.catch((error) => {
      if (!this.#again) throw error
      return this.#resent()
    })
  }

  #keep(bytes: Uint8Array): void {
    this.#kept?.push(bytes.slice())
    this.#keptBytes += bytes.length
  }

  closeWrite(): void | Promise<void> {
    this.#flushed = true
    if (this.#again) return this.#onEach((conn) => conn.closeWrite())
    return this.#stream.conn.closeWrite()
  }

  destroy(reason: Error = closedHere): void {
    this.#forget()
    this.#life.end(reason)
    this.#stream.conn.destroy(reason)
  }

  holdAtMost(bytes: number): void {
    this.#holdsAtMost = bytes
    this.#stream.conn.holdAtMost(bytes)
  }

  readAtMost(bytes: number): void {
    this.#readsAtMost = bytes
    this.#stream.conn.readAtMost?.(bytes)
  }

  onEnded(run: () => void): Cancel {
    if (!this.#peerHalf) {
      this.#peerHalf = new Life()
      this.#hearEnd(this.#peerHalf)
    }
    return this.#peerHalf.onGone(run)
  }

  #hearEnd(half: Life): void {
    this.#stream.conn.onEnded?.(() => half.end(closedInOrder))
  }

  hold(alive: boolean): void {
    this.#stream.conn.hold?.(alive)
  }
}

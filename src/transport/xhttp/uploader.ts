import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'
import type { Writing } from './split-conn.ts'

/** Sends one post; rejects when it was not taken. Each piece has to be named to `taken` when it is held here no longer. */
export type SendPost = (seq: number, body: readonly Uint8Array[], hear: Hear) => Promise<void>

/** How a post that is being sent gets on. What is said twice counts once. */
export interface Hear {
  readonly taken: (piece: Uint8Array) => void
  /** All of it is out. */
  readonly written: () => void
}

export interface UploaderOptions {
  readonly clock: Clock
  /** Bytes of one post. */
  readonly maxBytes: number
  /** Time between the beginnings of two posts. */
  readonly intervalMs: () => number
  readonly send: SendPost
  /** A post was not taken: the stream has a hole. */
  readonly failed: (error: Error) => void
}

/** Bytes of one write, or a part of them. */
interface Piece {
  readonly bytes: Uint8Array
  readonly release: () => void
}

/** A stream upwards that travels in numbered posts. What is written while one is being sent goes into the next one together. */
export class Uploader implements Writing {
  readonly #options: UploaderOptions
  #pieces: Piece[] = []
  #pumping = false
  #seq = 0
  #underWay = 0
  #startedAt = Number.NEGATIVE_INFINITY
  /** Bytes that no carrier has taken. */
  #held = 0
  #highWater: number = limits.writeHighWater
  #writable: Deferred<void> | undefined
  #closing: Deferred<void> | undefined
  #gone: Error | undefined
  /** Something that the pump waits for has happened. */
  #step: Deferred<void> | undefined

  constructor(options: UploaderOptions) {
    this.#options = options
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#gone || this.#closing) {
      release?.()
      return Promise.reject(this.#gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    if (bytes.length === 0) return release?.()
    this.#held += bytes.length
    this.#keep(bytes, release)
    if (!this.#pumping) {
      this.#pumping = true
      // In a turn of its own, so that what is written at once travels together.
      queueMicrotask(() => void this.#pump())
    }
    if (this.#held <= this.#highWater) return
    this.#writable ??= deferred()
    return this.#writable.promise
  }

  #keep(bytes: Uint8Array, release: (() => void) | undefined): void {
    let held = bytes
    let done = release
    if (!done) {
      const pooled = takeBuffer(bytes.length)
      pooled.bytes.set(bytes)
      held = pooled.bytes.subarray(0, bytes.length)
      done = pooled.release
    }
    const { maxBytes } = this.#options
    let parts = Math.ceil(held.length / maxBytes)
    const finished = done
    const share = (): void => {
      if (--parts === 0) finished()
    }
    for (let at = 0; at < held.length; at += maxBytes) {
      this.#pieces.push({ bytes: held.subarray(at, at + maxBytes), release: share })
    }
  }

  holdAtMost(bytes: number): void {
    this.#highWater = bytes
    this.#wakeWriters()
  }

  #wakeWriters(): void {
    if (!this.#writable || this.#held > this.#highWater / 2) return
    this.#writable.resolve()
    this.#writable = undefined
  }

  /** There is no end of a stream upwards: settles when everything is out. */
  closeWrite(): Promise<void> {
    if (!this.#closing) {
      this.#closing = deferred()
      this.#settleClosing()
    }
    return this.#closing.promise
  }

  #settleClosing(): void {
    if (this.#gone || (this.#held === 0 && this.#pieces.length === 0)) this.#closing?.resolve()
  }

  end(why: Error): void {
    if (this.#gone) return
    this.#gone = why
    for (const { release } of this.#pieces.splice(0)) release()
    this.#writable?.reject(why)
    this.#writable = undefined
    this.#settleClosing()
    this.#wake()
  }

  #wake(): void {
    this.#step?.resolve()
    this.#step = undefined
  }

  #waitStep(): Promise<void> {
    this.#step ??= deferred()
    return this.#step.promise
  }

  async #pump(): Promise<void> {
    const { clock, intervalMs } = this.#options
    while (this.#pieces.length > 0 && !this.#gone) {
      await this.#pause(this.#startedAt + intervalMs() - clock.elapsed())
      await this.#until(() => this.#underWay < limits.xhttpPostsUnderWay)
      if (this.#gone) break
      this.#startedAt = clock.elapsed()
      await this.#post(this.#next())
    }
    this.#pumping = false
  }

  async #pause(ms: number): Promise<void> {
    if (!(ms > 0)) return
    let over = false
    const cancel = this.#options.clock.after(ms, () => {
      over = true
      this.#wake()
    })
    await this.#until(() => over)
    cancel()
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!this.#gone && !holds()) await this.#waitStep()
  }

  /** As many pieces as one post may have bytes. */
  #next(): Piece[] {
    let length = 0
    let count = 0
    for (const { bytes } of this.#pieces) {
      if (count > 0 && length + bytes.length > this.#options.maxBytes) break
      length += bytes.length
      count++
    }
    return this.#pieces.splice(0, count)
  }

  /** Sends one; settles when it is written, its answer may come later. */
  #post(pieces: readonly Piece[]): Promise<void> {
    const { send, failed } = this.#options
    const out = deferred()
    this.#underWay++
    const left = new Set(pieces.map(({ bytes }) => bytes))
    const taken = (piece: Uint8Array): void => {
      if (!left.delete(piece)) return
      this.#held -= piece.length
      this.#wakeWriters()
      this.#settleClosing()
    }
    send(this.#seq++, [...left], { taken, written: () => out.resolve() })
      .catch((error: Error) => {
        if (!this.#gone) failed(error)
      })
      .finally(() => {
        // A post that may have to be sent anew keeps its bytes until it is answered.
        for (const { bytes, release } of pieces) {
          taken(bytes)
          release()
        }
        this.#underWay--
        out.resolve()
        this.#wake()
      })
    return out.promise
  }
}

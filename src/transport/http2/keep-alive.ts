import type { Http2Session } from 'node:http2'
import type { Cancel, Clock } from '../../core/env.ts'
import type { KeepAliveOptions } from './model.ts'
import { quietly } from './options.ts'

/** Asks a peer that has been silent for a while whether it is still there, and tells when no answer comes. */
export class KeepAlive {
  readonly #session: Http2Session
  readonly #clock: Clock
  readonly #options: KeepAliveOptions
  /** Streams in progress. */
  readonly #open: () => number
  readonly #dead: () => void
  #heardAt: number
  #cancel: Cancel = () => {}

  constructor(session: Http2Session, clock: Clock, options: KeepAliveOptions, open: () => number, dead: () => void) {
    this.#session = session
    this.#clock = clock
    this.#options = options
    this.#open = open
    this.#dead = dead
    this.#heardAt = clock.elapsed()
    this.#wait(options.idleMs)
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.elapsed()
  }

  stop(): void {
    this.#cancel()
  }

  #wait(ms: number): void {
    this.#cancel = this.#clock.after(Math.max(1, ms), () => this.#look())
  }

  #look(): void {
    const { idleMs, withoutStreams } = this.#options
    const silent = this.#clock.elapsed() - this.#heardAt
    if (silent < idleMs) this.#wait(idleMs - silent)
    else if (this.#open() === 0 && !withoutStreams) this.#wait(idleMs)
    else this.#ping()
  }

  #ping(): void {
    const askedAt = this.#clock.elapsed()
    // Whatever comes is an answer, a PING's or another.
    this.#cancel = this.#clock.after(this.#options.timeoutMs, () => {
      if (this.#heardAt > askedAt) this.#look()
      else this.#dead()
    })
    quietly(() =>
      this.#session.ping((error) => {
        if (error) return
        this.#cancel()
        this.heard()
        this.#wait(this.#options.idleMs)
      }),
    )
  }
}

import type { Http2Session } from 'node:http2'
import { limits } from '../../core/limits.ts'
import { quietly } from './options.ts'

/** No stream gets a smaller window than any program gives. */
const least = 64 * 1024

/**
 * What a peer may have sent unread is the window of a stream times their number. Where there are many, they share
 * `limits.http2UnreadPerSession`: SETTINGS make the window of all of them smaller.
 */
export class SharedWindow {
  readonly #session: Http2Session
  readonly #most: number
  #window: number

  constructor(session: Http2Session, window: number = limits.http2StreamWindow) {
    this.#session = session
    this.#most = window
    this.#window = window
  }

  /** So many streams are open. */
  share(streams: number): void {
    let window = this.#most
    while (window > least && window * streams > limits.http2UnreadPerSession) window /= 2
    // Grown by steps of four, so that a number that goes up and down by one changes nothing.
    if (window === this.#window || (window > this.#window && window < this.#window * 4 && window < this.#most)) return
    this.#window = window
    quietly(() => this.#session.settings({ initialWindowSize: Math.max(least, Math.floor(window)) }))
  }
}

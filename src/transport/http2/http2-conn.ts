import { constants, type Http2Stream } from 'node:http2'
import type { ConnInfo } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { StreamConn } from '../../net/streams/stream-conn.ts'
import { unhear } from '../../net/streams/stream-events.ts'
import { quietly } from './options.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants

/** The session of a stream, which wants to know of every batch. */
export interface Watched {
  /** One came. Absent: it does not. */
  heard?(): void
  /** One was written. */
  wrote(): void
  /** We reset one of its streams. */
  reset(stream: Http2Stream): void
}

/**
 * The bytes inside a stream of HTTP/2. A reader that pauses holds back the window of its own stream only; a write waits for
 * the window that the peer gives. Where peers do not understand half a close ('none'), closeWrite() only waits until
 * everything is out, and END_STREAM goes with destroy(): an end in order loses nothing, any other is RST_STREAM(CANCEL).
 */
export class Http2Conn extends StreamConn {
  readonly #stream: Http2Stream
  readonly #session: Watched
  #flushing: Promise<void> | undefined
  #left = false

  constructor(stream: Http2Stream, info: ConnInfo, session: Watched) {
    super(stream, info)
    this.#stream = stream
    this.#session = session
  }

  override received(bytes: Uint8Array): void {
    this.#session.heard?.()
    super.received(bytes)
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (!this.#flushing) {
      const wait = super.write(bytes, release)
      this.#session.wrote()
      return wait
    }
    release?.()
    return Promise.reject(this.gone ?? new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
  }

  override closeWrite(): Promise<void> {
    if (this.#flushing) return this.#flushing
    if (this.gone) return Promise.resolve()
    this.#flushing = this.info.halfClose === 'native' ? super.closeWrite() : this.#flush()
    return this.#flushing
  }

  #flush(): Promise<void> {
    const stream = this.#stream
    if (stream.writableLength === 0) return Promise.resolve()
    return new Promise((resolve) => {
      stream.once('close', () => resolve())
      stream.write(new Uint8Array(0), () => resolve())
    })
  }

  /** Leaves the stream to somebody else, who ends it; this Conn is of no use from then on, and must be destroyed. */
  leave(): void {
    this.#left = true
  }

  protected override drop(): void {
    const stream = this.#stream
    if (stream.destroyed || this.#left) return
    unhear(stream).on('error', () => {})
    if (this.#flushing && stream.writableLength === 0) endInOrder(stream, this.#session)
    else {
      if (!stream.closed) this.#session.reset(stream)
      quietly(() => stream.close(NGHTTP2_CANCEL))
      stream.destroy()
    }
  }
}

/** Ends our half, trailers included, and then tells the peer to stop. What it has sent meanwhile is dropped. */
export function endInOrder(stream: Http2Stream, session: Watched): void {
  const close = (): void => {
    if (stream.closed) return
    session.reset(stream)
    quietly(() => stream.close(NGHTTP2_NO_ERROR))
  }
  // The reset must not overtake trailers: they are asked for after the end, and sent in a turn of their own.
  const reset = (): void => void setImmediate(close)
  const trailing = stream.listenerCount('wantTrailers') > 0
  stream.resume()
  if (trailing ? stream.sentTrailers : stream.writableFinished) reset()
  else {
    stream.once(trailing ? 'wantTrailers' : 'finish', reset)
    stream.end()
  }
}

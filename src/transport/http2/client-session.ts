import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { type Conn, type ConnInfo, rootInfo } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { closedHere, streamError } from '../../net/errors.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { holdHandle } from './held-handle.ts'
import { Http2Conn, type Watched } from './http2-conn.ts'
import { KeepAlive } from './keep-alive.ts'
import { KeepReading } from './keep-reading.ts'
import type {
  Answer,
  ClientSession,
  ClientStream,
  IncomingHttpHeaders,
  KeepAliveOptions,
  RequestOptions,
} from './model.ts'
import { quietly, sessionOptions, widenWindow } from './options.ts'
import { ResetAllowance } from './reset-allowance.ts'
import { SharedWindow } from './shared-window.ts'

export interface ClientSessionOptions {
  /** Bytes of one stream that the server may send before they are read. `limits.http2StreamWindow` unless given. */
  readonly streamWindow?: number
  readonly keepAlive?: KeepAliveOptions
}

/** Begins HTTP/2 on a carrier that nobody has read from or written to, and owns it. The server need not have said anything yet. */
export function openSession(carrier: Conn, clock: Clock, options: ClientSessionOptions = {}): ClientSession {
  const { remote } = carrier.info
  const peer = { remote, through: 'HTTP/2', destroy: (reason: Error) => carrier.destroy(reason) }
  return onBehalfOf(peer, () => new Session(carrier, clock, options))
}

class Session implements ClientSession {
  readonly info: ConnInfo
  readonly #carrier: Conn
  readonly #session: ClientHttp2Session
  readonly #life = new Life()
  readonly #keepAlive: KeepAlive | undefined
  readonly #watched: Watched
  readonly #window: SharedWindow
  readonly #onEnd: (() => void)[] = []
  readonly #streams = new Set<ClientHttp2Stream>()
  #retired = false
  #broken: Error | undefined

  constructor(carrier: Conn, clock: Clock, { streamWindow, keepAlive }: ClientSessionOptions) {
    this.info = carrier.info
    this.#carrier = carrier
    const stream = carrierOf(carrier)
    stream.on('error', (error) => {
      this.#broken ??= error
    })
    stream.once('end', () => setImmediate(() => setImmediate(() => this.#deserted(clock))))
    // The authority is only a label: the stream is there, and every request names its own.
    const session = connect('http://carrier', { ...sessionOptions(streamWindow), createConnection: () => stream })
    this.#session = session
    holdHandle(session, stream)
    this.#window = new SharedWindow(session, streamWindow)
    session
      .on('error', (error) => {
        this.#broken ??= error
      })
      .on('goaway', () => this.retire())
      .on('close', () => this.#closed())
    stream.read(0) // it comes paused, and HTTP/2 takes over the reading only of one that reads
    quietly(() => widenWindow(session))
    carrier.onGone((why) => {
      this.#broken ??= why
      quietly(() => session.destroy())
    })
    const reading = new KeepReading(stream, clock, this.#streams)
    const resets = new ResetAllowance(clock)
    const wrote = (): void => reading.wrote()
    const reset = (): void => {
      resets.spend()
      if (resets.isShort(this.open, limits.http2ClientResetReserve)) this.retire()
    }
    this.#watched = { wrote, reset }
    if (keepAlive && keepAlive.idleMs > 0) {
      const dead = (): void =>
        this.destroy(
          new ProxyError(
            'CONN_CLOSED',
            `${this.info.remote} did not answer a PING for ${keepAlive.timeoutMs / 1000} s`,
          ),
        )
      this.#keepAlive = new KeepAlive(session, clock, keepAlive, () => this.open, dead)
      this.#watched = { wrote, reset, heard: () => this.#keepAlive?.heard() }
    }
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  get open(): number {
    return this.#streams.size
  }

  get usable(): boolean {
    const session = this.#session
    if (this.gone || this.#retired || session.closed || session.destroyed) return false
    const permitted = session.remoteSettings?.maxConcurrentStreams ?? limits.http2ClientStreams
    return this.open < Math.min(permitted, limits.http2ClientStreams)
  }

  onIdle(run: () => void): void {
    this.#onEnd.push(run)
  }

  request(headers: OutgoingHttpHeaders, options: RequestOptions): ClientStream {
    const { endStream = false, layer, halfClose } = options
    let stream: ClientHttp2Stream
    try {
      if (!this.usable) throw this.gone ?? new Error('it takes no more requests')
      stream = this.#session.request(headers, { endStream })
    } catch (cause) {
      const reason = (cause as Error).message
      throw new ProxyError(
        'CONN_CLOSED',
        `no further stream in the HTTP/2 connection with ${this.info.remote}: ${reason}`,
        {
          cause,
        },
      )
    }
    this.#streams.add(stream)
    this.#window.share(this.open)
    const conn = new Http2Conn(stream, new LayeredInfo(this.info, layer, halfClose), this.#watched)
    stream.once('close', () => this.#ended(stream))
    return new Exchange(stream, conn)
  }

  retire(): void {
    this.#retired = true
    if (this.open === 0) quietly(() => this.#session.close())
  }

  /** The server has closed its half, which Node leaves at that. What has come is read to its end before the session goes. */
  #deserted(clock: Clock): void {
    this.retire()
    if (this.gone) return
    const unread = [...this.#streams].some(({ readableLength }) => readableLength > 0)
    if (unread) clock.after(limits.http2DesertedMs, () => this.#deserted(clock))
    else quietly(() => this.#session.destroy())
  }

  destroy(reason?: Error): void {
    this.#broken ??= reason ?? closedHere
    this.#carrier.destroy(this.#broken)
    quietly(() => this.#session.destroy())
  }

  #ended(stream: ClientHttp2Stream): void {
    this.#streams.delete(stream)
    this.#window.share(this.open)
    if (this.#retired && this.open === 0) quietly(() => this.#session.close())
    for (const run of this.#onEnd) run()
  }

  #closed(): void {
    this.#keepAlive?.stop()
    const { remote } = rootInfo(this.info)
    const why = this.#broken ? streamError(this.#broken, remote) : undefined
    this.#life.end(
      why ?? new ProxyError('CONN_CLOSED', `the HTTP/2 connection with ${remote || 'the server'} is closed`),
    )
    this.#carrier.destroy(this.#broken)
  }
}

class Exchange implements ClientStream {
  readonly conn: Conn
  readonly answer: Promise<Answer>
  trailers: IncomingHttpHeaders | undefined
  readonly #stream: ClientHttp2Stream

  constructor(stream: ClientHttp2Stream, conn: Conn) {
    this.conn = conn
    this.#stream = stream
    this.answer = new Promise((resolve, reject) => {
      stream
        .on('response', (headers) => resolve({ status: headers[':status'] ?? 0, headers }))
        .on('trailers', (headers: IncomingHttpHeaders) => {
          this.trailers = headers
        })
      conn.onGone(reject)
    })
    this.answer.catch(() => {})
  }

  get refused(): boolean {
    return this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
  }
}

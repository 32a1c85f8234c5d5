import {
  constants,
  type Http2Stream,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Conn } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { clientBehind } from '../client-address.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import type { Rejected } from '../upgrade/server.ts'
import { holdHandle } from './held-handle.ts'
import type { Watched } from './http2-conn.ts'
import { KeepAlive } from './keep-alive.ts'
import { KeepReading } from './keep-reading.ts'
import type { IncomingHttpHeaders, KeepAliveOptions, ServerRequest, StreamKind } from './model.ts'
import { quietly, sessionOptions, widenWindow } from './options.ts'
import { Request } from './request.ts'
import { ResetAllowance } from './reset-allowance.ts'
import { SharedWindow } from './shared-window.ts'
import { answerHeaders, deniedError, isTooLarge, refusalOf, siteRequest } from './strangers.ts'

export interface SessionService {
  /** Of the streams that requests bring. */
  readonly kind: StreamKind
  readonly keepAlive?: KeepAliveOptions
  /** The address of a client is taken from X-Forwarded-For, where a trusted proxy sends it. */
  readonly forwarded: boolean
  /** Serves a request, and owns it. A fault of it ends the connection. */
  serve(request: ServerRequest): void
}

/** An HTTP/2 connection of a client. */
export class ServerSession {
  /** A request of it was responded to. */
  known = false
  readonly #carrier: Conn
  readonly #session: ServerHttp2Session
  readonly #service: SessionService
  readonly #deps: UpgradeDeps
  readonly #keepAlive: KeepAlive | undefined
  readonly #streams = new Set<ServerHttp2Stream>()
  readonly #watched: Watched
  readonly #window: SharedWindow
  readonly #resets: ResetAllowance
  /** Streams that we reset. */
  readonly #ourResets = new WeakSet<Http2Stream>()
  #refused = 0
  #cancel: Cancel

  constructor(carrier: Conn, first: Uint8Array, service: SessionService, deps: UpgradeDeps, closed: () => void) {
    this.#carrier = carrier
    this.#service = service
    this.#deps = deps
    const { clock } = deps.env
    const stream = carrierOf(carrier, first)
    stream.on('error', () => {})
    stream.allowHalfOpen = false // HTTP/2 has an end of its own; whoever closes half has gone
    // Of a TLS socket whose handshake is done only Node's own servers say so, and HTTP/2 would wait for it.
    if ('secureConnecting' in stream) stream.secureConnecting = false
    const session = performServerHandshake(stream, sessionOptions())
    this.#session = session
    holdHandle(session, stream)
    this.#window = new SharedWindow(session)
    session
      .on('error', () => {})
      .on('stream', (request, headers) => this.#take(request, headers))
      .once('close', () => {
        this.#cancel()
        this.#keepAlive?.stop()
        carrier.destroy()
        closed()
      })
    stream.read(0) // it comes paused, and HTTP/2 takes over the reading only of one that reads
    quietly(() => widenWindow(session))
    carrier.onGone(() => quietly(() => session.destroy()))
    const reading = new KeepReading(stream, clock, this.#streams)
    this.#resets = new ResetAllowance(clock)
    const wrote = (): void => reading.wrote()
    const reset = (stream: Http2Stream): void => void this.#ourResets.add(stream)
    this.#watched = { wrote, reset }
    const { keepAlive } = service
    if (keepAlive && keepAlive.idleMs > 0) {
      this.#keepAlive = new KeepAlive(
        session,
        clock,
        keepAlive,
        () => this.#streams.size,
        () => this.destroy(),
      )
      this.#watched = { wrote, reset, heard: () => this.#keepAlive?.heard() }
    }
    this.#cancel = clock.after(limits.strangerIdleMs, () => this.destroy())
  }

  /** No further requests; a connection that was never known ends at once. */
  leave(): void {
    if (this.known) quietly(() => this.#session.close())
    else this.destroy()
  }

  destroy(reason?: Error): void {
    this.#carrier.destroy(reason)
    quietly(() => this.#session.destroy())
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // For good: it may break at any time, and nobody else may listen.
    stream.on('error', () => {})
    this.#cancel()
    this.#streams.add(stream)
    this.#window.share(this.#streams.size)
    stream.once('close', () => this.#ended(stream))
    this.#leaveInTime()
    this.#watched.heard?.()
    if (isTooLarge(headers)) this.#tooLarge()
    else this.#serve(stream, headers)
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    try {
      const request = new Request(stream, headers, {
        carrier: this.#carrier.info,
        client: this.#clientOf(headers),
        kind: this.#service.kind,
        session: this.#watched,
        taken: () => {
          this.known = true
        },
        replied: () => this.#count(),
        denied: (denied, why) => void this.#deny(denied, why),
      })
      this.#service.serve(request)
    } catch (err) {
      this.#deps.env.log.error({ err }, 'a request over HTTP/2 could not be served: its connection was ended')
      this.destroy()
    }
  }

  #clientOf(headers: IncomingHttpHeaders): string | undefined {
    if (!this.#service.forwarded) return undefined
    const { info } = this.#carrier
    const client = clientBehind(info.remote, (name) => [headers[name.toLowerCase()] ?? []].flat(), this.#deps.trust)
    if (client !== undefined) this.#deps.onClientAddress(info, client)
    return client
  }

  async #deny(request: ServerRequest, { reason, elsewhere }: Rejected): Promise<void> {
    const { env, website, secure, onFailedHandshake } = this.#deps
    if (!elsewhere || !website.configured) onFailedHandshake(request.client, deniedError(request, reason))
    const answer = refusalOf(request) ?? (await website.answer(siteRequest(request, secure)))
    const headers = answerHeaders(answer, env.clock.now())
    if (!answer.body || answer.body instanceof Uint8Array) request.reply(headers, answer.body)
    else await request.replyWith(headers, answer.body)
  }

  #tooLarge(): void {
    const { remote } = this.#carrier.info
    const error = new ProxyError('UPGRADE_REJECTED', 'a request over HTTP/2 is not served: its headers are too large')
    this.#deps.onFailedHandshake(remote, error)
    quietly(() => this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM))
    // Node writes it in a turn of its own.
    setImmediate(() => setImmediate(() => this.destroy()))
  }

  /** A server that has had enough of a stranger says so. */
  #count(): void {
    if (!this.known && ++this.#refused >= limits.strangerRequests) quietly(() => this.#session.close())
  }

  /** Before the client's resets are too many: those in progress go on then, and what comes meanwhile is for another connection. */
  #leaveInTime(): void {
    if (this.#resets.isShort(this.#streams.size, limits.http2ServerResetReserve)) quietly(() => this.#session.close())
  }

  #ended(stream: ServerHttp2Stream): void {
    this.#streams.delete(stream)
    if (this.#session.destroyed) return
    const reset = stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR
    if (reset && !this.#ourResets.has(stream)) this.#resets.spend()
    this.#leaveInTime()
    this.#window.share(this.#streams.size)
    if (this.#streams.size > 0) return
    const ms = this.known ? limits.http2ServerIdleMs : limits.strangerIdleMs
    this.#cancel = this.#deps.env.clock.after(ms, () => quietly(() => this.#session.close()))
  }
}

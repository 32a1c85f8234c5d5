import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { clientBehind } from '../client-address.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import type { Rejected } from '../upgrade/server.ts'
import type { Watched } from './http2-conn.ts'
import { KeepAlive } from './keep-alive.ts'
import { KeepReading } from './keep-reading.ts'
import type { IncomingHttpHeaders, KeepAliveOptions, ServerRequest, StreamKind } from './model.ts'
import { quietly, sessionOptions, widenWindow } from './options.ts'
import { sniffHttp2 } from './preface.ts'
import { Request } from './request.ts'
import { answerHeaders, deniedError, siteRequest } from './strangers.ts'

export interface Http2Service {
  /** Of the streams that requests bring. */
  readonly kind: StreamKind
  readonly keepAlive?: KeepAliveOptions
  /** The address of a client is taken from X-Forwarded-For, where a trusted proxy sends it. */
  readonly forwarded: boolean
  /** Serves a request, and owns it. A fault of it ends the connection. */
  serve(request: ServerRequest): void
  /** Takes the carriers on which something else than HTTP/2 comes, with all their bytes. */
  readonly other: Passage
}

/**
 * Takes carriers on which HTTP/2 comes, with or without TLS below. A connection is on its way until one of its requests was
 * responded to; one that does not get there is a stranger, who is kept no longer than a web server would.
 */
export class Http2Passage implements Passage {
  readonly #service: Http2Service
  readonly #deps: UpgradeDeps
  /** Nobody knows yet what they speak. */
  readonly #mute = new Set<Conn>()
  readonly #sessions = new Set<ServerSession>()

  constructor(service: Http2Service, deps: UpgradeDeps) {
    this.#service = service
    this.#deps = deps
  }

  get pending(): number {
    let strangers = 0
    for (const { known } of this.#sessions) if (!known) strangers++
    return this.#mute.size + strangers + this.#service.other.pending
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    const { env, onFailedHandshake } = this.#deps
    const ms = limits.siteHeadMs
    const { remote } = carrier.info
    const late = (): void => {
      onFailedHandshake(remote, new ProxyError('HANDSHAKE_TIMEOUT', `nothing from ${remote} within ${ms / 1000} s`))
      carrier.destroy()
    }
    this.#mute.add(carrier)
    const cancel = env.clock.after(ms, late)
    sniffHttp2(carrier)
      .then(
        (found) => this.#found(carrier, found),
        // It broke before it said anything of use, which is nobody's fault.
        () => carrier.destroy(),
      )
      .finally(() => {
        cancel()
        this.#mute.delete(carrier)
      })
  }

  #found(carrier: Conn, found: Awaited<ReturnType<typeof sniffHttp2>>): void {
    if (!found?.http2) {
      if (found) this.#service.other.receive(found.whole())
      else carrier.destroy()
      return
    }
    const { remote } = carrier.info
    const peer = { remote, through: 'HTTP/2', destroy: (reason: Error) => carrier.destroy(reason) }
    onBehalfOf(peer, () => {
      const session = new ServerSession(carrier, found.first, this.#service, this.#deps, () =>
        this.#sessions.delete(session),
      )
      this.#sessions.add(session)
    })
  }

  close(): void {
    this.#service.other.close()
    for (const carrier of this.#mute) carrier.destroy()
    for (const session of this.#sessions) session.leave()
  }
}

class ServerSession {
  /** A request of it was responded to. */
  known = false
  readonly #carrier: Conn
  readonly #session: ServerHttp2Session
  readonly #service: Http2Service
  readonly #deps: UpgradeDeps
  readonly #keepAlive: KeepAlive | undefined
  readonly #streams = new Set<ServerHttp2Stream>()
  readonly #watched: Watched
  #refused = 0
  #cancel: Cancel

  constructor(carrier: Conn, first: Uint8Array, service: Http2Service, deps: UpgradeDeps, closed: () => void) {
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
    session
      .on('error', () => {})
      .on('stream', (request, headers) => this.#serve(request, headers))
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
    const wrote = (): void => reading.wrote()
    this.#watched = { wrote }
    const { keepAlive } = service
    if (keepAlive && keepAlive.idleMs > 0) {
      this.#keepAlive = new KeepAlive(
        session,
        clock,
        keepAlive,
        () => this.#streams.size,
        () => this.destroy(),
      )
      this.#watched = { wrote, heard: () => this.#keepAlive?.heard() }
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

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // For good: it may break at any time, and nobody else may listen.
    stream.on('error', () => {})
    this.#cancel()
    this.#streams.add(stream)
    stream.once('close', () => this.#ended(stream))
    this.#watched.heard?.()
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
        denied: (denied, reason) => void this.#deny(denied, reason),
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
    const answer = await website.answer(siteRequest(request, secure))
    const headers = answerHeaders(answer, env.clock.now())
    if (!answer.body || answer.body instanceof Uint8Array) request.reply(headers, answer.body)
    else await request.replyWith(headers, answer.body)
  }

  /** A server that has had enough of a stranger says so. */
  #count(): void {
    if (!this.known && ++this.#refused >= limits.strangerRequests) quietly(() => this.#session.close())
  }

  #ended(stream: ServerHttp2Stream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0 || this.#session.destroyed) return
    const ms = this.known ? limits.http2ServerIdleMs : limits.strangerIdleMs
    this.#cancel = this.#deps.env.clock.after(ms, () => quietly(() => this.#session.close()))
  }
}

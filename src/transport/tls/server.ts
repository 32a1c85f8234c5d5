import { TLSSocket } from 'node:tls'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { Live } from './certificates/live.ts'
import type { Source, TlsServerOptions } from './options.ts'
import { handshakeError, secured } from './secured.ts'
import { TlsService, type TlsServiceDeps } from './service.ts'

export interface TlsServerDeps extends TlsServiceDeps {
  /** A client's time for its handshake. */
  readonly handshakeTimeoutMs: number
  /** Told of clients whose handshake failed, once each. */
  readonly onError: (remote: string, error: ProxyError) => void
}

export interface TlsServer {
  server(accept: (conn: Conn) => void): Passage
  /** What the certificates are for, in lower case: names, `*.parent`, and `*` for any. */
  names(): readonly string[]
}

/** TLS for what comes by a passage. Throws what OpenSSL says of the options. */
export function tlsServer(source: Source<TlsServerOptions>, deps: TlsServerDeps): TlsServer {
  const made = { load: () => new TlsService(source.load(), deps), paths: source.paths }
  const live = new Live(made, deps)
  return { server: (accept) => new Handshakes(live, deps, accept), names: () => live.current.contexts.names }
}

/** Clients in their handshake: nobody else knows of them yet. */
class Handshakes implements Passage {
  readonly #live: Live<TlsService>
  readonly #deps: TlsServerDeps
  readonly #accept: (conn: Conn) => void
  readonly #all = new Set<Handshake>()
  /** Those whose handshake cannot begin yet. */
  readonly #waiting = new Set<Conn>()

  constructor(live: Live<TlsService>, deps: TlsServerDeps, accept: (conn: Conn) => void) {
    this.#live = live
    this.#deps = deps
    this.#accept = accept
  }

  get pending(): number {
    return this.#all.size + this.#waiting.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    const wait = this.#ready()
    if (wait) this.#beginAfter(wait, carrier)
    else this.#begin(carrier)
  }

  #beginAfter(wait: Promise<void>, carrier: Conn): void {
    this.#waiting.add(carrier)
    wait.then(
      () => {
        if (this.#waiting.delete(carrier) && !carrier.gone) this.#begin(carrier)
      },
      (error: Error) => {
        if (!this.#waiting.delete(carrier)) return
        carrier.destroy()
        this.#deps.onError(carrier.info.remote, handshakeError(error, carrier.info.remote))
      },
    )
  }

  #ready(): Promise<void> | undefined {
    const look = this.#live.look()
    return look ? look.then(() => this.#live.current.ready()) : this.#live.current.ready()
  }

  #begin(carrier: Conn): void {
    const { remote } = carrier.info
    const peer = { remote, through: 'TLS', destroy: (reason: Error) => carrier.destroy(reason) }
    onBehalfOf(peer, () => {
      const done = (conn?: Conn): void => {
        this.#all.delete(handshake)
        if (conn) this.#accept(conn)
      }
      const handshake = new Handshake(carrier, { service: this.#live.current, deps: this.#deps, done })
      this.#all.add(handshake)
    })
  }

  close(): void {
    for (const carrier of this.#waiting) {
      this.#waiting.delete(carrier)
      carrier.destroy()
    }
    for (const handshake of this.#all) handshake.cut()
  }
}

interface HandshakeParts {
  readonly service: TlsService
  readonly deps: TlsServerDeps
  /** Called once, later than the handshake began: with the connection, or without one when it is over. */
  readonly done: (conn?: Conn) => void
}

/** Owns a carrier until there is a connection in it. Whatever else ends the handshake, the carrier is destroyed at once. */
class Handshake {
  readonly #carrier: Conn
  readonly #parts: HandshakeParts
  readonly #socket: TLSSocket
  readonly #cancel: readonly Cancel[]
  #over = false

  constructor(carrier: Conn, parts: HandshakeParts) {
    this.#carrier = carrier
    this.#parts = parts
    const { clock, handshakeTimeoutMs } = parts.deps
    const stream = carrierOf(carrier)
    const broken = (error: Error): void => this.#fail(error)
    // A carrier that breaks under the connection is told by the TLS socket.
    stream.on('error', broken)
    this.#socket = new TLSSocket(stream, parts.service.settings())
    parts.service.watch(this.#socket)
    this.#socket
      .on('secure', () => this.#secured())
      .on('end', () => this.#fail(new Error('the client left')))
      .on('close', () => this.#fail(new Error('the client left')))
      .on('error', broken)
      // What is wrong with a socket that no tls.Server made is told by this event alone, for as long as it lives.
      .on('_tlsError', (error: Error) => (this.#over ? this.#socket.destroy(error) : this.#fail(error)))
    this.#cancel = [
      clock.after(handshakeTimeoutMs, () => this.#tooLate(handshakeTimeoutMs)),
      carrier.onGone(() => this.#fail(new Error('the client left'))),
    ]
  }

  /** Ends it without a word. */
  cut(): void {
    if (!this.#end()) return
    this.#socket.destroy()
    this.#carrier.destroy()
    this.#parts.done()
  }

  #secured(): void {
    if (this.#over) return
    const refusal = this.#parts.service.refusalOf(this.#socket)
    if (refusal) this.#fail(refusal)
    else if (this.#end()) this.#parts.done(secured(this.#socket, this.#carrier))
  }

  /** False: it was over. */
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    for (const cancel of this.#cancel) cancel()
    return true
  }

  #tooLate(ms: number): void {
    const { remote } = this.#carrier.info
    this.#refuse(new ProxyError('HANDSHAKE_TIMEOUT', `no TLS handshake with ${remote} within ${ms / 1000} s`))
  }

  #fail(error: Error): void {
    if (!this.#over) this.#refuse(handshakeError(error, this.#carrier.info.remote))
  }

  #refuse(error: ProxyError): void {
    this.cut()
    this.#parts.deps.onError(this.#carrier.info.remote, error)
  }
}

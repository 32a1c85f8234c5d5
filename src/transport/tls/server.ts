import { TLSSocket, type TLSSocketOptions } from 'node:tls'
import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { onBehalfOf } from '../../net/on-behalf.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { alpnOf, serverContexts } from './contexts.ts'
import type { TlsServerOptions } from './options.ts'
import { handshakeError, secured } from './secured.ts'

export interface TlsServerDeps {
  readonly clock: Clock
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
export function tlsServer(options: TlsServerOptions, deps: TlsServerDeps): TlsServer {
  const contexts = serverContexts(options)
  const settings: TLSSocketOptions = {
    isServer: true,
    secureContext: contexts.first,
    ALPNProtocols: alpnOf(options),
    SNICallback: (name, done) => {
      const context = contexts.choose(name)
      if (context || !options.rejectUnknownSni) done(null, context ?? contexts.first)
      else done(new Error(`no certificate for ${name}`))
    },
    ...(options.verifyClient && { requestCert: true, rejectUnauthorized: true }),
  }
  const begin = (carrier: Conn, done: (conn?: Conn) => void): Handshake =>
    new Handshake(carrier, { settings, refusal: (socket) => refusalOf(socket, options), deps, done })
  return { server: (accept) => new Handshakes(begin, accept), names: () => contexts.names }
}

/** Why a client is turned away whose handshake is done; Node leaves both to whoever makes the socket. */
function refusalOf(socket: TLSSocket, options: TlsServerOptions): Error | undefined {
  const { servername, ssl } = socket as TLSSocket & {
    servername?: string | false | null
    ssl: { verifyError(): Error | null }
  }
  // The callback for names is asked only when there is one.
  if (options.rejectUnknownSni && !servername) return new Error('the client asked for no name')
  return (options.verifyClient && ssl.verifyError()) || undefined
}

type Begin = (carrier: Conn, done: (conn?: Conn) => void) => Handshake

/** Clients in their handshake: nobody else knows of them yet. */
class Handshakes implements Passage {
  readonly #begin: Begin
  readonly #accept: (conn: Conn) => void
  readonly #all = new Set<Handshake>()

  constructor(begin: Begin, accept: (conn: Conn) => void) {
    this.#begin = begin
    this.#accept = accept
  }

  get pending(): number {
    return this.#all.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    const { remote } = carrier.info
    const peer = { remote, through: 'TLS', destroy: (reason: Error) => carrier.destroy(reason) }
    onBehalfOf(peer, () => {
      const handshake = this.#begin(carrier, (conn) => {
        this.#all.delete(handshake)
        if (conn) this.#accept(conn)
      })
      this.#all.add(handshake)
    })
  }

  close(): void {
    for (const handshake of this.#all) handshake.cut()
  }
}

interface HandshakeParts {
  readonly settings: TLSSocketOptions
  readonly refusal: (socket: TLSSocket) => Error | undefined
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
    this.#socket = new TLSSocket(stream, parts.settings)
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
    const refusal = this.#parts.refusal(this.#socket)
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

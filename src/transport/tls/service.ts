import type { Server } from 'node:net'
import type { SecureContext, TLSSocket, TLSSocketOptions } from 'node:tls'
import type { Clock, Logger } from '../../core/env.ts'
import type { Post } from '../../net/http-post.ts'
import { stapling } from './certificates/stapling.ts'
import { alpnOf, type ServerContexts, serverContexts } from './contexts.ts'
import { keyLog } from './key-log.ts'
import type { TlsServerOptions } from './options.ts'

export interface TlsServiceDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Asks a server for OCSP answers. */
  readonly post: Post
}

/** What a server serves clients with: the settings of their sockets. */
export class TlsService {
  readonly contexts: ServerContexts
  readonly #options: TlsServerOptions
  readonly #settings: TLSSocketOptions
  readonly #logKeys: (socket: TLSSocket) => void

  /** Throws what OpenSSL says of the options. */
  constructor(options: TlsServerOptions, deps: TlsServiceDeps) {
    this.#options = options
    this.contexts = serverContexts(options, deps.clock)
    this.#logKeys = keyLog(options.masterKeyLog, deps.log)
    const staples = stapling(options.certificates, deps)
    this.#settings = {
      isServer: true,
      ALPNProtocols: alpnOf(options),
      SNICallback: (name, done) => this.#choose(name, done),
      ...(options.verifyClient && { requestCert: true, rejectUnauthorized: true }),
      // Node asks whoever is called the server for answers, and nothing else of it.
      ...(staples && { server: staples as unknown as Server }),
    }
  }

  /** What has to be there before a handshake can begin; undefined: it is. Rejects where nothing can be issued. */
  ready(): Promise<void> | undefined {
    const { first, issued } = this.contexts
    if (first || !issued || issued.known(this.#fallback)) return undefined
    return issued.contextFor(this.#fallback).then(() => {})
  }

  /** For a socket whose handshake can begin. */
  settings(): TLSSocketOptions {
    const { first, issued } = this.contexts
    return { ...this.#settings, secureContext: first ?? issued?.known(this.#fallback) }
  }

  /** Has begun its handshake with the settings. */
  watch(socket: TLSSocket): void {
    this.#logKeys(socket)
  }

  /** Why a client is turned away whose handshake is done; Node leaves both to whoever makes the socket. */
  refusalOf(socket: TLSSocket): Error | undefined {
    const { servername, ssl } = socket as TLSSocket & {
      servername?: string | false | null
      ssl: { verifyError(): Error | null }
    }
    // The callback for names is asked only when there is one.
    if (this.#options.rejectUnknownSni && !servername) return new Error('the client asked for no name')
    return (this.#options.verifyClient && ssl.verifyError()) || undefined
  }

  /** For whom a certificate is issued that is shown to clients without a name. */
  get #fallback(): string {
    return this.#options.serverName || 'localhost'
  }

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const { first, issued } = this.contexts
    const context = this.contexts.choose(name) ?? issued?.known(name)
    if (context) done(null, context)
    else if (issued) issued.contextFor(name).then((made) => done(null, made), done)
    else if (this.#options.rejectUnknownSni) done(new Error(`no certificate for ${name}`))
    else done(null, first)
  }
}

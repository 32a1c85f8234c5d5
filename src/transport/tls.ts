import { constants } from 'node:crypto'
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer,
  type SecureContext,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import { formatAddress } from '../core/address.ts'
import { type Conn, rootInfo } from '../core/conn.ts'
import type { Dialer, DialOptions, Layer, Listener } from '../core/dialer.ts'
import type { Cancel } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import { carrierOf } from '../net/duplex.ts'
import { abortError } from '../net/errors.ts'
import { onBehalfOf } from '../net/on-behalf.ts'
import { StreamConn } from '../net/stream-conn.ts'
import { chooseCertificate } from './tls-certificates.ts'
import type { TlsClientOptions, TlsServerOptions } from './tls-options.ts'
import { sniFor, trustedAuthorities, verifyPeer } from './tls-verify.ts'

/** What V2Ray and Xray offer on a raw connection when `alpn` is not configured. */
const defaultAlpn = ['h2', 'http/1.1']

/** TLS over any base. One side is enough: a layer that only dials needs no certificates. */
export function tlsLayer(options: {
  client?: TlsClientOptions
  server?: TlsServerOptions
  /** Told of clients whose handshake failed. */
  onError?: (remote: string, error: ProxyError) => void
  /** A client's time for its handshake; 60 s unless given. */
  handshakeTimeoutMs?: number
}): Layer {
  const { client, server, onError = () => {}, handshakeTimeoutMs = 60_000 } = options
  return {
    name: 'tls',
    dialer: (base) => (client ? tlsDialer(base, client) : base),
    listener: (base) => (server ? tlsListener(base, server, onError, handshakeTimeoutMs) : base),
  }
}

function tlsDialer(base: Dialer, options: TlsClientOptions): Dialer {
  const context = clientContext(options)
  return {
    async dial(to, dialOptions) {
      const carrier = await base.dial(to, dialOptions)
      try {
        return await handshake(carrier, options.serverName || to.host, context, options, dialOptions)
      } catch (error) {
        carrier.destroy()
        throw error
      }
    },
  }
}

function handshake(
  carrier: Conn,
  name: string,
  secureContext: SecureContext,
  options: TlsClientOptions,
  dial: DialOptions,
): Promise<Conn> {
  return new Promise((resolve, reject) => {
    const request: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: carrierOf(carrier),
      secureContext,
      servername: sniFor(name),
      ALPNProtocols: [...(options.alpn.length > 0 ? options.alpn : defaultAlpn)],
      // The verdict is ours (pins, names, reasons in words); Node still checks the chain and tells.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      allowHalfOpen: true,
    }
    const socket = connect(request)
    let cancel: Cancel = () => {}
    const fail = (error: ProxyError): void => {
      cancel()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const onError = (error: Error): void => fail(handshakeError(error, carrier.info.remote))
    const onClose = (): void =>
      fail(
        new ProxyError(
          'TLS_FAILED',
          `TLS handshake with ${carrier.info.remote} failed: the server closed the connection`,
          { hint: 'does this port speak TLS?' },
        ),
      )
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('secureConnect', () => {
      try {
        verifyPeer(socket, name, options)
      } catch (error) {
        return fail(error as ProxyError)
      }
      cancel()
      socket.off('error', onError).off('close', onClose)
      resolve(secured(socket, carrier))
    })
    cancel = dial.until.onGone((why) => fail(abortError(why, carrier.info.remote)))
  })
}

function tlsListener(
  base: Listener,
  options: TlsServerOptions,
  onError: (remote: string, error: ProxyError) => void,
  handshakeTimeoutMs: number,
): Listener {
  return {
    async listen(at, accept) {
      // Never listens itself: connections of the base are handed to it.
      const carriers = new WeakMap<object, Conn>()
      /** In their handshake: nobody else knows of them yet. */
      const shaking = new Set<Conn>()
      const server = createServer({ ...serverOptions(options), handshakeTimeout: handshakeTimeoutMs }, (socket) => {
        const carrier = carriers.get(parentOf(socket)) ?? carriers.get(socket)
        if (carrier) shaking.delete(carrier)
        // Node asks the SNI callback only when there is a name.
        if (options.rejectUnknownSni && !(socket as { servername?: string | false }).servername) return socket.destroy()
        accept(secured(socket, carrier))
      })
      server.on('tlsClientError', (error, socket) => {
        const remote = carriers.get(parentOf(socket))?.info.remote ?? ''
        onError(remote, handshakeError(error, remote))
      })
      const listening = await base.listen(at, (carrier) => {
        const stream = carrierOf(carrier)
        carriers.set(stream, carrier)
        shaking.add(carrier)
        carrier.onGone(() => shaking.delete(carrier))
        stream.on('error', () => {}) // told through tlsClientError, or by the TLS socket once it is up
        const { remote } = carrier.info
        const peer = { remote, through: 'TLS', destroy: (reason: Error) => carrier.destroy(reason) }
        onBehalfOf(peer, () => server.emit('connection', stream))
      })
      return {
        address: listening.address,
        close() {
          for (const carrier of shaking) carrier.destroy()
          return listening.close()
        },
      }
    },
  }
}

/** The stream that a TLS socket runs on; Node keeps it, under a name that is not public. */
const parentOf = (socket: TLSSocket): object => (socket as unknown as { _parent?: object })._parent ?? socket

function secured(socket: TLSSocket, carrier: Conn | undefined): Conn {
  const base = carrier?.info
  return new StreamConn(socket, {
    remote: base?.remote ?? formatAddress({ host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }),
    local: base?.local ?? '',
    layers: [...(base?.layers ?? []), 'tls'],
    halfClose: 'native',
    ...(base && { carrier: rootInfo(base) }),
  })
}

function clientContext(options: TlsClientOptions): SecureContext {
  const own = options.certificates[0]
  const ca = trustedAuthorities(options)
  return createSecureContext({ ...common(options), ...(ca && { ca }), ...(own && { cert: own.cert, key: own.key }) })
}

function serverOptions(options: TlsServerOptions): TlsOptions {
  const contexts = options.certificates.map((pair) => ({
    pair,
    context: createSecureContext({
      ...common(options),
      cert: pair.cert,
      key: pair.key,
      ...(options.verifyClient && { ca: [...options.clientAuthorities] }),
    }),
  }))
  const first = options.certificates[0]!
  return {
    ...common(options),
    cert: first.cert,
    key: first.key,
    ALPNProtocols: [...(options.alpn.length > 0 ? options.alpn : defaultAlpn)],
    allowHalfOpen: true,
    SNICallback: (name, done) => {
      const chosen = chooseCertificate(contexts, name)
      if (chosen) done(null, chosen.context)
      else if (options.rejectUnknownSni) done(new Error(`no certificate for ${name}`))
      else done(null, contexts[0]!.context)
    },
    ...(options.verifyClient && { requestCert: true, rejectUnauthorized: true, ca: [...options.clientAuthorities] }),
  } as TlsOptions
}

function common(options: TlsClientOptions | TlsServerOptions): object {
  return {
    ...(options.minVersion && { minVersion: options.minVersion }),
    ...(options.maxVersion && { maxVersion: options.maxVersion }),
    ...(options.ciphers && { ciphers: options.ciphers }),
    ...(options.curves && { ecdhCurve: options.curves }),
    ...(!options.enableSessionResumption && { secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}

function handshakeError(error: Error, remote: string): ProxyError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const plain = code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  const text = plain ? 'the other side does not speak TLS on this port' : error.message
  return new ProxyError('TLS_FAILED', `TLS handshake with ${remote} failed: ${text}`, { cause: error })
}

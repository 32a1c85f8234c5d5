import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { abortError } from '../../net/errors.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { Live, type LiveDeps } from './certificates/live.ts'
import { alpnOf, clientContext } from './contexts.ts'
import { keyLog } from './key-log.ts'
import type { Source, TlsClientOptions } from './options.ts'
import { handshakeError, secured } from './secured.ts'
import { Sessions } from './sessions.ts'
import { type KnownNames, leaveCertificates, sniFor, verifyPeer } from './verify.ts'

/** TLS over what a dialer opens. Throws what OpenSSL says of the options. */
export function tlsClient(source: Source<TlsClientOptions>, deps: LiveDeps): (base: Dialer) => Dialer {
  const made = { load: () => withSettings(source.load(), deps), paths: source.paths }
  const live = new Live(made, deps)
  return (base) => ({
    async dial(to, dialOptions) {
      await live.look()
      const carrier = await base.dial(to, dialOptions)
      try {
        return await handshake(carrier, to.host, live.current, dialOptions)
      } catch (error) {
        carrier.destroy()
        throw error
      }
    },
  })
}

/** What is the same for every connection. */
interface Dialling {
  readonly options: TlsClientOptions
  readonly settings: ConnectionOptions & { readonly allowHalfOpen: boolean }
  readonly logKeys: (socket: TLSSocket) => void
  /** Where sessions may be taken up again. */
  readonly sessions: Sessions | undefined
  readonly known: KnownNames
}

const withSettings = (options: TlsClientOptions, { log }: LiveDeps): Dialling => ({
  options,
  settings: {
    secureContext: clientContext(options),
    ALPNProtocols: alpnOf(options),
    // The verdict is ours (pins, names, reasons in words); Node still checks the chain and tells.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    allowHalfOpen: true,
  },
  logKeys: keyLog(options.masterKeyLog, log),
  sessions: options.enableSessionResumption ? new Sessions() : undefined,
  known: new Map(),
})

function handshake(
  carrier: Conn,
  host: string,
  { options, settings, logKeys, sessions, known }: Dialling,
  dial: DialOptions,
): Promise<Conn> {
  const name = options.serverName || host
  return new Promise((resolve, reject) => {
    const session = sessions?.take(name)
    const socket = connect({
      ...settings,
      socket: carrierOf(carrier),
      servername: sniFor(name),
      ...(session && { session }),
    })
    let good = false
    sessions?.watch(socket, name, () => good)
    logKeys(socket)
    leaveCertificates(socket)
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
        // What is taken up again was verified when it began.
        if (!socket.isSessionReused()) verifyPeer(socket, name, options, known)
      } catch (error) {
        return fail(error as ProxyError)
      }
      cancel()
      good = true
      socket.off('error', onError).off('close', onClose)
      resolve(secured(socket, carrier))
    })
    cancel = dial.until.onGone((why) => fail(abortError(why, carrier.info.remote)))
  })
}

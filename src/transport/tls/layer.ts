import type { Layer } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { tlsClient } from './client.ts'
import type { TlsClientOptions, TlsServerOptions } from './options.ts'
import { type TlsServer, type TlsServerDeps, tlsServer } from './server.ts'

/** TLS for the dialling side. Throws what OpenSSL says of the options. */
export const tlsClientLayer = (options: TlsClientOptions): Layer => ({
  name: 'tls',
  client: tlsClient(options),
  server: oneSided,
})

/** TLS for the accepting side; `options` has at least one certificate. Throws what OpenSSL says of the options. */
export const tlsServerLayer = (options: TlsServerOptions, deps: TlsServerDeps): Layer & TlsServer => ({
  name: 'tls',
  client: oneSided,
  ...tlsServer(options, deps),
})

function oneSided(): never {
  throw new ProxyError('PROTOCOL_MISUSE', 'this TLS layer was made for the other side')
}

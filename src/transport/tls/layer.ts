import type { Layer } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { LiveDeps } from './certificates/live.ts'
import { tlsClient } from './client.ts'
import type { Source, TlsClientOptions, TlsServerOptions } from './options.ts'
import { type TlsServer, type TlsServerDeps, tlsServer } from './server.ts'

/** TLS for the dialling side. Throws what OpenSSL says of the options. */
export const tlsClientLayer = (source: Source<TlsClientOptions>, deps: LiveDeps): Layer => ({
  name: 'tls',
  client: tlsClient(source, deps),
  server: oneSided,
})

/** TLS for the accepting side; there is at least one certificate, or an authority that issues them. Throws what OpenSSL says of the options. */
export const tlsServerLayer = (source: Source<TlsServerOptions>, deps: TlsServerDeps): Layer & TlsServer => ({
  name: 'tls',
  client: oneSided,
  ...tlsServer(source, deps),
})

function oneSided(): never {
  throw new ProxyError('PROTOCOL_MISUSE', 'this TLS layer was made for the other side')
}

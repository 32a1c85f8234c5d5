/** Certificates for tests, and the options of a TLS layer with what a test wants different. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { silentLogger } from '../../src/core/env.ts'
import { fakeClock } from '../../src/testing/fakes.ts'
import { tlsClientLayer, tlsServerLayer } from '../../src/transport/tls/layer.ts'
import { fixed, type KeyPair, type TlsClientOptions, type TlsServerOptions } from '../../src/transport/tls/options.ts'
import type { TlsServerDeps } from '../../src/transport/tls/server.ts'

/** A file of `test/fixtures/tls`. */
export const pem = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8')

/** The same as lines, as a configuration holds it. */
export const pemLines = (name: string): string[] => pem(name).trim().split('\n')

export const keyPair = (name: string): KeyPair => ({ cert: pem(`${name}.crt`), key: pem(`${name}.key`) })

/** A certificate of a configuration. */
export const inlinePair = (name: string) => ({ certificate: pemLines(`${name}.crt`), key: pemLines(`${name}.key`) })

/** Lower-case hex SHA-256 of a certificate. */
export const pinOf = (name: string): string =>
  createHash('sha256')
    .update(new X509Certificate(pem(`${name}.crt`)).raw)
    .digest('hex')

/** `server` alone, for anybody. */
export const serverOptions = (changes: Partial<TlsServerOptions> = {}): TlsServerOptions => ({
  alpn: [],
  serverName: '',
  enableSessionResumption: false,
  disableSystemRoot: false,
  certificates: [keyPair('server')],
  issuers: [],
  masterKeyLog: '',
  rejectUnknownSni: false,
  verifyClient: false,
  clientAuthorities: [],
  ...changes,
})

/** Trusts the authority of `server`, and asks for `localhost`. */
export const clientOptions = (changes: Partial<TlsClientOptions> = {}): TlsClientOptions => ({
  alpn: [],
  enableSessionResumption: false,
  disableSystemRoot: false,
  authorities: [pem('ca.crt')],
  serverName: 'localhost',
  allowInsecure: false,
  pinnedCertSha256: [],
  pinnedChainSha256: [],
  pinnedPublicKeySha256: [],
  masterKeyLog: '',
  verifyNames: [],
  certificates: [],
  ...changes,
})

/** Nobody answers questions about certificates, and nobody hears of failures. */
export const serverDeps = (changes: Partial<TlsServerDeps> = {}): TlsServerDeps => ({
  clock: fakeClock(0),
  log: silentLogger,
  post: async () => {
    throw new Error('there is no network here')
  },
  handshakeTimeoutMs: 60_000,
  onError: () => {},
  ...changes,
})

export const tlsServer = (options: Partial<TlsServerOptions> = {}, deps: Partial<TlsServerDeps> = {}) =>
  tlsServerLayer(fixed(serverOptions(options)), serverDeps(deps))

export const tlsClient = (options: Partial<TlsClientOptions> = {}) =>
  tlsClientLayer(fixed(clientOptions(options)), { clock: fakeClock(0), log: silentLogger })

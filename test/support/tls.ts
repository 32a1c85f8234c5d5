/** Certificates for tests, and the options of a TLS layer with what a test wants different. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KeyPair, TlsClientOptions, TlsServerOptions } from '../../src/transport/tls/options.ts'

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
  verifyNames: [],
  certificates: [],
  ...changes,
})

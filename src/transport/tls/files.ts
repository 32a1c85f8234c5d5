import { createSecureContext } from 'node:tls'
import type { ReadText } from '../../core/env.ts'
import { ConfigError } from '../../schema/problem.ts'
import type { PemSource, TlsClientConfig, TlsServerConfig } from '../../settings/model.ts'
import type { KeyPair, TlsClientOptions, TlsServerOptions } from './options.ts'

/** The TLS options of an outbound, with its files read. Throws ConfigError naming the field and the file. */
export function loadTlsClient(config: TlsClientConfig, read: ReadText): TlsClientOptions {
  return {
    ...config,
    authorities: config.authorities.map((source) => authority(source, read)),
    certificates: config.certificates.map((pair) => keyPair(pair, read)),
  }
}

/** The TLS options of an inbound, with its files read. */
export function loadTlsServer(config: TlsServerConfig, read: ReadText): TlsServerOptions {
  return {
    ...config,
    clientAuthorities: config.clientAuthorities.map((source) => authority(source, read)),
    certificates: config.certificates.map((pair) => keyPair(pair, read)),
  }
}

function authority(source: PemSource, read: ReadText): string {
  const pem = textOf(source, read)
  check(source, 'a certificate', () => createSecureContext({ ca: pem }), pem.includes('-----BEGIN CERTIFICATE-----'))
  return pem
}

function keyPair(pair: { cert: PemSource; key: PemSource }, read: ReadText): KeyPair {
  const cert = textOf(pair.cert, read)
  const key = textOf(pair.key, read)
  check(pair.cert, 'a certificate', () => createSecureContext({ cert }), cert.includes('-----BEGIN CERTIFICATE'))
  check(
    pair.key,
    'the private key of that certificate',
    () => createSecureContext({ cert, key }),
    key.includes('PRIVATE KEY-----'),
  )
  return { cert, key }
}

function textOf(source: PemSource, read: ReadText): string {
  if ('pem' in source) return source.pem
  try {
    return read(source.path)
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'the file does not exist' : (error as Error).message
    throw failed(source, `cannot read "${source.path}": ${reason}`)
  }
}

function check(source: PemSource, what: string, load: () => unknown, looksRight: boolean): void {
  const where = 'path' in source ? `"${source.path}"` : 'the inline text'
  if (!looksRight) throw failed(source, `${where} is not ${what} in PEM form: it has no such "-----BEGIN …" line`)
  try {
    load()
  } catch (error) {
    throw failed(source, `${where} is not ${what}: ${(error as Error).message}`)
  }
}

const failed = ({ at, file, line, column }: PemSource, message: string): ConfigError =>
  new ConfigError([{ code: 'CFG109', severity: 'error', path: at, file, line, column, message }])

import { createSecureContext } from 'node:tls'
import type { ReadText } from '../../../core/env.ts'
import { ConfigError } from '../../../schema/problem.ts'
import type { CertificateConfig, PemSource, TlsClientConfig, TlsServerConfig } from '../../../settings/model.ts'
import type { KeyPair, Source, TlsClientOptions, TlsServerOptions } from '../options.ts'

/** The TLS options of an outbound, with its files read. load() throws ConfigError naming the field and the file. */
export function tlsClientSource(config: TlsClientConfig, read: ReadText): Source<TlsClientOptions> {
  const text = textsOf(read)
  const sources = [...config.authorities, ...config.certificates.flatMap(sourcesOf)]
  return {
    paths: pathsOf(sources),
    load: () => ({
      ...config,
      authorities: config.authorities.map((source) => authority(source, text)),
      certificates: config.certificates.map((pair) => keyPair(pair, text)),
    }),
  }
}

/** The TLS options of an inbound, with its files read. load() throws ConfigError naming the field and the file. */
export function tlsServerSource(config: TlsServerConfig, read: ReadText): Source<TlsServerOptions> {
  const text = textsOf(read)
  const pairs = [...config.certificates, ...config.issuers]
  return {
    paths: pathsOf([...config.clientAuthorities, ...pairs.flatMap(sourcesOf)]),
    load: () => ({
      ...config,
      clientAuthorities: config.clientAuthorities.map((source) => authority(source, text)),
      certificates: config.certificates.map((pair) => ({ ...keyPair(pair, text), ocspStaplingS: pair.ocspStaplingS })),
      issuers: config.issuers.map((pair) => ({ ...keyPair(pair, text), buildChain: pair.buildChain })),
    }),
  }
}

const sourcesOf = ({ cert, key }: CertificateConfig): PemSource[] => [cert, key]

/** Of the files that are read again when they change. */
const pathsOf = (sources: readonly PemSource[]): string[] => [
  ...new Set(sources.flatMap((source) => ('path' in source && !source.once ? source.path : []))),
]

type TextOf = (source: PemSource) => string

/** Reads sources, and those that are read only once no second time. */
function textsOf(read: ReadText): TextOf {
  const known = new Map<PemSource, string>()
  return (source) => {
    const text = known.get(source) ?? textOf(source, read)
    if (source.once) known.set(source, text)
    return text
  }
}

function authority(source: PemSource, textOf: TextOf): string {
  const pem = textOf(source)
  check(source, 'a certificate', () => createSecureContext({ ca: pem }), pem.includes('-----BEGIN CERTIFICATE-----'))
  return pem
}

function keyPair(pair: CertificateConfig, textOf: TextOf): KeyPair {
  const cert = textOf(pair.cert)
  const key = textOf(pair.key)
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

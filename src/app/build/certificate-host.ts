import type { ReadText } from '../../core/env.ts'
import type { PemSource, TlsServerConfig } from '../../settings/model.ts'
import { tlsServerSource } from '../../transport/tls/certificates/files.ts'
import { certificateIsFor } from '../../transport/tls/certificates/host.ts'
import { pinOfUntrusted } from '../../transport/tls/certificates/trust.ts'

/** Whether clients that ask for `host` will accept the certificate. The file must have been loaded without error before. */
export const coversHost = (source: PemSource, host: string, read: ReadText): boolean =>
  certificateIsFor(pemOf(source, read), host)

/** The pin that a link to a server with this certificate must hold; undefined where clients trust it without. */
export const pinFor = (source: PemSource, read: ReadText): string | undefined => pinOfUntrusted(pemOf(source, read))

const pemOf = (source: PemSource, read: ReadText): string => ('pem' in source ? source.pem : read(source.path))

/** @throws ConfigError for files that cannot be read or do not fit together */
export const checkCertificates = (config: TlsServerConfig, read: ReadText): void =>
  void tlsServerSource(config, read).load()

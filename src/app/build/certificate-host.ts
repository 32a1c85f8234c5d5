import type { PemSource } from '../../settings/model.ts'
import { certificateIsFor } from '../../transport/certificate-host.ts'
import type { ReadText } from './tls-files.ts'

/** Whether clients that ask for `host` will accept the certificate. The file must have been loaded without error before. */
export const coversHost = (source: PemSource, host: string, read: ReadText): boolean =>
  certificateIsFor('pem' in source ? source.pem : read(source.path), host)

import { X509Certificate } from 'node:crypto'
import type { KeyPair } from './tls-options.ts'

/** The first entry whose leaf names `name` exactly or by `*.parent`; undefined when none does. */
export function chooseCertificate<T extends { readonly pair: KeyPair }>(
  entries: readonly T[],
  name: string,
): T | undefined {
  return entries.find((entry) => new X509Certificate(entry.pair.cert).checkHost(name) !== undefined)
}

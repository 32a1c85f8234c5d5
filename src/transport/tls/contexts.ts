/** What OpenSSL needs, made once per layer: parsing keys and certificates costs more than half of a handshake. */
import { constants, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock } from '../../core/env.ts'
import { IssuedContexts } from './certificates/issued.ts'
import type { KeyPair, TlsClientOptions, TlsServerOptions } from './options.ts'
import { trustedAuthorities } from './verify.ts'

/** What V2Ray and Xray offer on a raw connection when `alpn` is not configured. */
const defaultAlpn = ['h2', 'http/1.1']

/** Tickets are good for a server of this name only; OpenSSL wants one where clients show certificates. */
const sessionIdContext = 'vmess'

export const alpnOf = ({ alpn }: { readonly alpn: readonly string[] }): string[] =>
  alpn.length > 0 ? [...alpn] : defaultAlpn

/** Throws what OpenSSL says. */
export function clientContext(options: TlsClientOptions): SecureContext {
  const own = options.certificates[0]
  const ca = trustedAuthorities(options)
  return createSecureContext({ ...common(options), ...(ca && { ca }), ...(own && { cert: own.cert, key: own.key }) })
}

/** The certificates of a server. */
export interface ServerContexts {
  /** For clients that ask for no name, or for one that nobody serves; undefined: it is to be issued first. */
  readonly first: SecureContext | undefined
  /** Of the first certificate that names `name` exactly or by `*.parent`; undefined when none does. */
  choose(name: string): SecureContext | undefined
  /** For names that no certificate is for; undefined where there is no authority that issues them. */
  readonly issued: IssuedContexts | undefined
  /** What the certificates are for, in lower case: names, `*.parent`, and `*` where any can be issued. */
  readonly names: readonly string[]
}

/** Throws what OpenSSL says. */
export function serverContexts(options: TlsServerOptions, clock: Clock): ServerContexts {
  const entries = options.certificates.map((pair) => ({
    leaf: new X509Certificate(pair.cert),
    context: serverContext(options, pair),
  }))
  const [issuer] = options.issuers
  const names = entries.flatMap(({ leaf }) => namesOf(leaf))
  return {
    first: entries[0]?.context,
    choose: (name) => entries.find(({ leaf }) => leaf.checkHost(name) !== undefined)?.context,
    issued: issuer && new IssuedContexts(issuer, (pair) => serverContext(options, pair), clock),
    names: [...new Set(issuer ? [...names, '*'] : names)],
  }
}

/** Names of a certificate that TLS can ask for, those of its subject where it has no others. */
function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const alternative = (subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'))
  const common = /^CN=(.*)$/m.exec(subject ?? '')?.[1]
  const names = alternative.length > 0 ? alternative.map((name) => name.slice(4)) : common ? [common] : []
  return names.map((name) => name.toLowerCase()).filter((name) => isIP(name) === 0)
}

const serverContext = (options: TlsServerOptions, { cert, key }: KeyPair): SecureContext =>
  createSecureContext({
    ...common(options),
    cert,
    key,
    sessionIdContext,
    ...(options.verifyClient && { ca: [...options.clientAuthorities] }),
  })

function common(options: TlsClientOptions | TlsServerOptions): object {
  return {
    ...(options.minVersion && { minVersion: options.minVersion }),
    ...(options.maxVersion && { maxVersion: options.maxVersion }),
    ...(options.ciphers && { ciphers: options.ciphers }),
    ...(options.curves && { ecdhCurve: options.curves }),
    ...(!options.enableSessionResumption && { secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}

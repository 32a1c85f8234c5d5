/** Names of cipher suites and curves: Go's, as configurations write them, to OpenSSL's. */
import { lookUp } from '../../core/lookup.ts'

/** IANA names of TLS 1.0 to 1.2, lower-cased. */
const suites: Readonly<Record<string, string>> = {
  tls_ecdhe_ecdsa_with_aes_128_gcm_sha256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  tls_ecdhe_ecdsa_with_aes_256_gcm_sha384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  tls_ecdhe_ecdsa_with_chacha20_poly1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  tls_ecdhe_ecdsa_with_aes_128_cbc_sha: 'ECDHE-ECDSA-AES128-SHA',
  tls_ecdhe_ecdsa_with_aes_128_cbc_sha256: 'ECDHE-ECDSA-AES128-SHA256',
  tls_ecdhe_ecdsa_with_aes_256_cbc_sha: 'ECDHE-ECDSA-AES256-SHA',
  tls_ecdhe_rsa_with_aes_128_gcm_sha256: 'ECDHE-RSA-AES128-GCM-SHA256',
  tls_ecdhe_rsa_with_aes_256_gcm_sha384: 'ECDHE-RSA-AES256-GCM-SHA384',
  tls_ecdhe_rsa_with_chacha20_poly1305_sha256: 'ECDHE-RSA-CHACHA20-POLY1305',
  tls_ecdhe_rsa_with_chacha20_poly1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  tls_ecdhe_rsa_with_aes_128_cbc_sha: 'ECDHE-RSA-AES128-SHA',
  tls_ecdhe_rsa_with_aes_128_cbc_sha256: 'ECDHE-RSA-AES128-SHA256',
  tls_ecdhe_rsa_with_aes_256_cbc_sha: 'ECDHE-RSA-AES256-SHA',
  tls_rsa_with_aes_128_gcm_sha256: 'AES128-GCM-SHA256',
  tls_rsa_with_aes_256_gcm_sha384: 'AES256-GCM-SHA384',
  tls_rsa_with_aes_128_cbc_sha: 'AES128-SHA',
  tls_rsa_with_aes_128_cbc_sha256: 'AES128-SHA256',
  tls_rsa_with_aes_256_cbc_sha: 'AES256-SHA',
}

/** TLS 1.3 suites; Go does not let anybody choose among them, so neither do we. */
export const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] as const

const curves: Readonly<Record<string, string>> = {
  curvep256: 'P-256',
  curvep384: 'P-384',
  curvep521: 'P-521',
  x25519: 'X25519',
}

/** Hybrids that need OpenSSL 3.5. */
const laterCurves = ['x25519mlkem768', 'secp256r1mlkem768', 'secp384r1mlkem1024']

export const suiteNames: readonly string[] = Object.keys(suites).map((name) => name.toUpperCase())
export const curveNames = ['CurveP256', 'CurveP384', 'CurveP521', 'X25519'] as const

/** OpenSSL's name of a suite; `always` for TLS 1.3. */
export const cipherOf = (name: string): string | undefined =>
  (tls13Suites as readonly string[]).includes(name.toUpperCase()) ? 'always' : lookUp(suites, name.toLowerCase())

/** OpenSSL's name of a curve; `later` for one that this OpenSSL lacks. */
export const curveOf = (name: string): string | undefined =>
  laterCurves.includes(name.toLowerCase()) ? 'later' : lookUp(curves, name.toLowerCase())

import { createHash, X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'

/**
 * The pin (lower-case hex SHA-256 of its DER) of the first certificate of a chain that no client would trust by itself:
 * self-signed, or of an authority that nobody knows. Undefined for a chain that leads to a public authority.
 */
export function pinOfUntrusted(pem: string): string | undefined {
  const chain = (pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []).map(
    (text) => new X509Certificate(text),
  )
  const [leaf] = chain
  if (!leaf || leadsToPublicRoot(leaf, chain)) return undefined
  return createHash('sha256').update(leaf.raw).digest('hex')
}

function leadsToPublicRoot(leaf: X509Certificate, chain: readonly X509Certificate[]): boolean {
  const roots = rootCertificates.map((text) => new X509Certificate(text))
  let current: X509Certificate | undefined = leaf
  const left = new Set(chain)
  while (current) {
    const certificate: X509Certificate = current
    left.delete(certificate)
    if (roots.some((root) => issued(root, certificate) || root.fingerprint256 === certificate.fingerprint256))
      return true
    current = [...left].find((candidate) => issued(candidate, certificate))
  }
  return false
}

const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

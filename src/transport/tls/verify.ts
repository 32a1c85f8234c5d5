import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, type DetailedPeerCertificate, rootCertificates, TLSSocket } from 'node:tls'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { TlsClientOptions } from './options.ts'

/** The certificates that were found to carry the name that was asked for, by that name: reading one again costs as much as a handshake. */
export type KnownNames = Map<string, Buffer>

/**
 * Decides whether the peer's certificate is good, in the order that Xray and V2Ray 5 define: a pinned certificate first,
 * then the ordinary chain and name, then a pinned chain as one more condition. Throws TLS_FAILED saying which check.
 * @param name the name that the certificate must carry: serverName, or the destination host
 * @param known of connections with these options
 */
export function verifyPeer(socket: TLSSocket, name: string, options: TlsClientOptions, known: KnownNames): void {
  const { pinnedCertSha256, pinnedChainSha256, pinnedPublicKeySha256, allowInsecure } = options
  const pinned = pinnedCertSha256.length + pinnedChainSha256.length + pinnedPublicKeySha256.length > 0
  // One of them: getPeerX509Certificate() takes the certificate out of the chain in Node 20.
  const chain = pinned ? chainOf(socket) : []
  const leaf = pinned ? chain[0] && new X509Certificate(chain[0]) : socket.getPeerX509Certificate()
  if (!leaf) throw failed('the server sent no certificate')
  if (pinnedCertSha256.length > 0) verifyPinned(chain, name, options)
  else if (!allowInsecure) verifyOrdinary(socket, { leaf, name, known }, options)
  if (pinnedChainSha256.length > 0) verifyChainHash(chain, pinnedChainSha256)
  else if (pinnedPublicKeySha256.length > 0) verifyPublicKey(chain, options)
}

const getPeerCertificate = TLSSocket.prototype.getPeerCertificate
const noCertificate = (): object => ({})

/**
 * Before the handshake: keeps Node from making objects of the whole chain, for a check of the name that is left to us. That
 * costs a quarter of what a new connection costs.
 */
export function leaveCertificates(socket: TLSSocket): void {
  Object.assign(socket, { getPeerCertificate: noCertificate })
}

/** The certificates in the order sent, as DER. Node appends a root of the local store that the peer did not send. */
function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  const seen = new Set<string>()
  let next: DetailedPeerCertificate | undefined = getPeerCertificate.call(socket, true) as DetailedPeerCertificate
  while (next?.raw && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256)
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
}

function verifyPinned(chain: readonly Buffer[], name: string, options: TlsClientOptions): void {
  const hashes = chain.map((der) => sha256(der).toString('hex'))
  const hit = hashes.findIndex((hash) => options.pinnedCertSha256.includes(hash))
  if (hit === 0) return
  const pins = options.pinnedCertSha256.length === 1 ? 'the pinned certificate' : 'any pinned certificate'
  if (hit < 0) throw failed(`the server's certificate is not ${pins}`, `its SHA-256 is ${hashes[0]}`)
  const certificates = chain.slice(0, hit + 1).map((der) => new X509Certificate(der))
  for (let i = 0; i < hit; i++) {
    const issuer = certificates[i + 1]!
    if (!certificates[i]!.checkIssued(issuer) || !certificates[i]!.verify(issuer.publicKey)) {
      throw failed('the chain does not lead to the pinned certificate')
    }
  }
  const now = Date.now()
  for (const certificate of certificates) {
    if (Date.parse(certificate.validTo) < now)
      throw failed(`a certificate of the chain expired on ${certificate.validTo}`)
    if (Date.parse(certificate.validFrom) > now)
      throw failed(`a certificate of the chain is valid only from ${certificate.validFrom}`)
  }
  verifyName(certificates[0]!, name, options)
}

interface Leaf {
  readonly leaf: X509Certificate
  readonly name: string
  readonly known: KnownNames
}

function verifyOrdinary(socket: TLSSocket, { leaf, name, known }: Leaf, options: TlsClientOptions): void {
  const reason = socket.authorizationError as unknown as string | Error | undefined
  if (!socket.authorized && reason) {
    const code = reason instanceof Error ? ((reason as NodeJS.ErrnoException).code ?? reason.message) : String(reason)
    throw failed(
      chainReasons[code] ?? `the certificate is not trusted (${code})`,
      selfSigned.has(code) ? selfSignedHint : undefined,
    )
  }
  const { raw } = leaf
  if (known.get(name)?.equals(raw)) return
  verifyName(leaf, name, options)
  if (known.size >= limits.tlsSessions) known.clear()
  known.set(name, raw)
}

const chainReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired, or the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet, or the clock of this machine is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends in a certificate authority that this machine does not know',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer of the certificate is not known to this machine',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the issuer of the certificate is not known to this machine: a private authority, or an intermediate certificate that the server does not send',
}
const selfSigned = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
const selfSignedHint =
  'give its authority in tlsSettings.certificates with "usage": "verify", pin the certificate with pinnedPeerCertSha256 ("pcs" in a link), or name the authority in NODE_EXTRA_CA_CERTS'

function verifyName(leaf: X509Certificate, name: string, options: TlsClientOptions): void {
  const wanted = options.verifyNames.length > 0 ? options.verifyNames : [name]
  const good = wanted.some((candidate) => checkServerIdentity(candidate, leaf.toLegacyObject()) === undefined)
  if (good) return
  const names = leaf.subjectAltName ?? leaf.subject
  throw failed(
    `the certificate is for ${names}, not for ${wanted.join(' or ')}`,
    'set tlsSettings.serverName to a name that the certificate carries',
  )
}

/** V2Ray 5: h = SHA256(c0), then h = SHA256(h || SHA256(ci)). Every prefix counts, because of the root that Node appends. */
function verifyChainHash(chain: readonly Buffer[], pins: readonly string[]): void {
  let hash: Buffer | undefined
  for (const der of chain) {
    hash = hash ? sha256(Buffer.concat([hash, sha256(der)])) : sha256(der)
    if (pins.includes(hash.toString('base64'))) return
  }
  throw failed('the hash of the certificate chain is not among pinnedPeerCertificateChainSha256')
}

/**
 * Older Xray: a key of the verified chain. Where the chain is not verified anybody can append a certificate that he has seen
 * to his own, so there only the key of the server itself counts.
 */
function verifyPublicKey(chain: readonly Buffer[], { allowInsecure, pinnedPublicKeySha256 }: TlsClientOptions): void {
  const counting = allowInsecure ? chain.slice(0, 1) : chain
  const hashes = counting.map((der) =>
    sha256(new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' })).toString('base64'),
  )
  if (hashes.some((hash) => pinnedPublicKeySha256.includes(hash))) return
  throw failed(`the public key ${hashes[0]} of the server is not among pinnedPeerCertificatePublicKeySha256`)
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

const failed = (message: string, hint?: string): ProxyError =>
  new ProxyError('TLS_FAILED', `TLS handshake failed: ${message}`, hint === undefined ? {} : { hint })

/** Authorities to trust: the configured ones, with the system's unless they are switched off. Undefined: the system's alone. */
export function trustedAuthorities(options: TlsClientOptions): string[] | undefined {
  const own = [...options.authorities, ...options.certificates.map((pair) => pair.cert)]
  if (options.disableSystemRoot) return own
  return own.length > 0 ? [...rootCertificates, ...own] : undefined
}

/** The name to send as SNI: none for an IP address. */
export const sniFor = (name: string): string => (isIP(name) ? '' : name)

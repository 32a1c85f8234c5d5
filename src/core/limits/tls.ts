/** Bounds of TLS, its certificates and the first bytes on shared ports; a part of `limits`. */
export const tlsLimits = {
  /** How often certificate files are looked at while clients come, ms. */
  fileLookEveryMs: 1_000,
  /** The longest that a client waits for a slow look at them, ms. */
  fileLookMs: 250,
  /** Certificates that an authority has issued and that are kept; when full the one goes that was not asked for for longest. */
  issuedCertificates: 1_024,
  /** TLS sessions that a client keeps to take them up again; when full the one goes that was not used for longest. */
  tlsSessions: 128,
  /** An OCSP answer, bytes. */
  ocspAnswerMax: 64 * 1024,
  /** How long an OCSP server may take, ms. */
  ocspMs: 10_000,
  /** Pause before an OCSP server is asked again that gave no good answer, ms. */
  ocspRetryMs: 60_000,
  /** A ClientHello that is looked at to tell inbounds on one port apart, bytes. */
  clientHelloMax: 64 * 1024,
} as const

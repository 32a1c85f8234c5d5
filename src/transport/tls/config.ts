/** `tlsSettings`, on both ends. */
import { z } from 'zod'
import {
  anyObject,
  flag,
  integer,
  noted,
  object,
  refused,
  stringList,
  text,
  withoutEffect,
  word,
} from '../../schema/fields.ts'

const pem = (description: string) =>
  noted(z.union([z.array(z.string()), z.string()]).describe(description), {
    expected: 'PEM text as an array of lines',
    secret: 'password',
  })

const certificate = object(() => ({
  certificateFile: text('Path of the certificate chain in PEM. Wins over certificate.'),
  keyFile: text('Path of the private key in PEM. Wins over key.'),
  certificate: pem('The chain itself, as lines of PEM.'),
  key: pem('The private key itself, as lines of PEM.'),
  usage: word(
    ['encipherment', 'verify', 'verifyclient', 'issue'],
    'What it is for: encipherment (one of our own), verify (an authority for servers), verifyclient (one for clients), issue (an authority that signs one for every name that clients ask for). Default: encipherment.',
  ),
  oneTimeLoading: flag('Read the files only at start. Default: false, they are read again when they change.'),
  ocspStapling: integer(
    0,
    4294967295,
    'Seconds after which the OCSP server of the certificate is asked again; its answer is sent along. Default: 0, never.',
  ),
  buildChain: flag('With usage issue: send the authority behind what it issues. Default: false.'),
})).describe('A certificate.')
export type CertificateInput = z.output<typeof certificate>

const version = (description: string) => word(['1.0', '1.1', '1.2', '1.3'], description)
const ech =
  'encrypted client hello is not possible with Node, and without it the server name would be sent in the clear'

export const tlsSchema = object(() => ({
  serverName: text(
    'Name to ask for and to verify. Default: the address of the server. On an inbound that shares its port: the name that it serves. Default: those of its certificates.',
  ),
  alpn: stringList('Application protocols to offer. Default: h2, http/1.1.'),
  allowInsecure: flag('Do not verify the server. Default: false.'),
  certificates: z.array(certificate).describe('Own certificates, and authorities to trust.'),
  disableSystemRoot: flag('Trust only the authorities listed here. Default: false.'),
  enableSessionResumption: flag('Allow session tickets. Default: false.'),
  minVersion: version('Lowest version.'),
  maxVersion: version('Highest version.'),
  cipherSuites: text('IANA names of suites up to TLS 1.2, with colons between.'),
  curvePreferences: stringList('CurveP256, CurveP384, CurveP521, X25519.'),
  pinnedPeerCertSha256: text('Hex SHA-256 of certificates to accept, with commas between.'),
  pinnedPeerCertificateChainSha256: z.array(z.string()).describe('Base64 hashes of chains to accept.'),
  pinnedPeerCertificatePublicKeySha256: z
    .array(z.string())
    .describe(
      'Base64 hashes of public keys, of which one must be in the chain. Not looked at beside hashes of chains.',
    ),
  allowInsecureIfPinnedPeerCertificate: flag(
    'With pinnedPeerCertificateChainSha256: verify nothing else. Default: false.',
  ),
  verifyPeerCertByName: text('Names, with commas between, of which one must be in the certificate.'),
  verifyPeerCertInNames: z.array(z.string()).describe('The same as an array.'),
  verifyClientCertificate: flag('Ask clients for a certificate. Default: false.'),
  rejectUnknownSni: flag('Refuse clients that ask for an unknown name. Default: false.'),
  fingerprint: withoutEffect(
    text('Browser to look like.'),
    'OpenSSL cannot imitate the handshake of a browser; its own is used',
    ['', 'unsafe'],
  ),
  masterKeyLog: text('File that the keys of connections are appended to, as SSLKEYLOGFILE. Default: none.'),
  echConfig: refused(text('ECH.'), ech),
  echConfigList: refused(text('ECH.'), ech),
  echServerKeys: refused(text('ECH.'), ech),
  echDohServer: refused(text('ECH.'), ech),
  echForceQuery: withoutEffect(text('ECH.'), 'encrypted client hello is not possible with Node', ['', 'none']),
  echSockopt: withoutEffect(anyObject('ECH.'), 'encrypted client hello is not possible with Node'),
})).describe('Settings of TLS.')
export type TlsInput = z.output<typeof tlsSchema>

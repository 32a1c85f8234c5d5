/** `securitySettings`. */
import type { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { list, type Origin, object, text } from './nodes.ts'

const tlsKeys = [
  'serverName',
  'nextProtocol',
  'certificate',
  'allowInsecure',
  'pinnedPeerCertificateChainSha256',
  'allowInsecureIfPinnedPeerCertificate',
  'disableSystemRoot',
  'enableSessionResumption',
  'verifyClientCertificate',
  'minVersion',
  'maxVersion',
  'echConfig',
  'echDOHserver',
  'echQueryDomain',
  'ciphersuites',
]
const versions = ['Default', 'TLS1_0', 'TLS1_1', 'TLS1_2', 'TLS1_3'] as const
const usages = ['ENCIPHERMENT', 'AUTHORITY_VERIFY', 'AUTHORITY_ISSUE', 'AUTHORITY_VERIFY_CLIENT'] as const
const usageWords = {
  ENCIPHERMENT: 'encipherment',
  AUTHORITY_VERIFY: 'verify',
  AUTHORITY_ISSUE: 'issue',
  AUTHORITY_VERIFY_CLIENT: 'verifyclient',
} as const

export function translateTls(at: Origin, kind: 'tls' | 'utls', given: boolean, report: Report): JsonNode | undefined {
  if (!given) return undefined
  if (kind === 'tls') return tls(at, report)
  const fields = new Fields(at, ['tlsConfig', 'imitate', 'noSNI', 'forceAlpn'], report)
  report.warn('CFG030', placeOf(at), '"utls": OpenSSL cannot imitate the handshake of a browser; its own is used')
  if (fields.flag('noSNI')) report.error('CFG034', placeOf(fields.origin('noSNI')), '"noSNI" is not supported')
  return fields.has('tlsConfig') ? tls(fields.origin('tlsConfig'), report) : undefined
}

function tls(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, tlsKeys, report)
  if (fields.flag('allowInsecure')) {
    const hint = 'list the authority as a certificate with usage AUTHORITY_VERIFY, or pin the certificate'
    report.error('CFG034', placeOf(fields.origin('allowInsecure')), 'V2Ray 5 forbids "allowInsecure"', hint)
  }
  if (fields.has('ciphersuites')) {
    report.warn(
      'CFG030',
      placeOf(fields.origin('ciphersuites')),
      '"ciphersuites" has no effect: suites are chosen by OpenSSL',
    )
  }
  const pins = fields.textsNode('pinnedPeerCertificateChainSha256')
  return object(at, {
    serverName: fields.node('serverName'),
    alpn: fields.textsNode('nextProtocol'),
    certificates: fields.has('certificate')
      ? list(
          fields.origin('certificate'),
          fields.items('certificate').map((item) => certificate(item, report)),
        )
      : undefined,
    pinnedPeerCertificateChainSha256: pins,
    // There the chain is verified besides, unless this says otherwise.
    allowInsecure: pins ? fields.node('allowInsecureIfPinnedPeerCertificate') : undefined,
    disableSystemRoot: fields.node('disableSystemRoot'),
    enableSessionResumption: fields.node('enableSessionResumption'),
    verifyClientCertificate: fields.node('verifyClientCertificate'),
    minVersion: version(fields, 'minVersion'),
    maxVersion: version(fields, 'maxVersion'),
    echConfig: fields.node('echConfig'),
    echDohServer: fields.node('echDOHserver'),
  })
}

function version(fields: Fields, key: string): JsonNode | undefined {
  const word = fields.word(key, versions)
  if (word === undefined || word === 'Default') return undefined
  return text(fields.origin(key), word.slice(3).replace('_', '.'))
}

function certificate(at: Origin, report: Report): JsonNode {
  const hint = (key: string) =>
    ({
      certificate: 'write "Certificate", in base64, or "certificateFile"',
      key: 'write "Key", in base64, or "keyFile"',
    })[key]
  const fields = new Fields(at, ['certificateFile', 'keyFile', 'Certificate', 'Key', 'usage'], report, { hint })
  const usage = fields.word('usage', usages)
  const chain = fields.encoded('Certificate')
  const key = fields.encoded('Key')
  return object(at, {
    // Bytes win: the file is not opened then.
    certificateFile: chain ? undefined : fields.node('certificateFile'),
    keyFile: key ? undefined : fields.node('keyFile'),
    certificate: chain,
    key,
    usage: usage && text(fields.origin('usage'), usageWords[usage]),
  })
}

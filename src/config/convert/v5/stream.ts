/** `streamSettings`, TLS and options of sockets. */
import { asList, asText, isEmpty, type Plain, without } from '../plain.ts'
import type { Taker } from '../taker.ts'
import { transports } from './transports.ts'
import { numberOr, textOr } from './words.ts'

/** @param strategy what the outbound says of names already */
export function writeStream(fields: Taker, strategy = ''): Plain | undefined {
  const network = fields.text('network') || 'tcp'
  const kind = transports[network]
  const settings = kind?.write(fields.inside(kind.settings), fields)
  const secure = fields.text('security') === 'tls'
  const tls = secure ? tlsOf(fields.inside('tlsSettings')) : undefined
  const sockopt = sockoptOf(fields.inside('sockopt'), strategy)
  fields.lose('fallback', 'it is an extension of this program')
  fields.end()
  const written = without({
    transport: network === 'tcp' && isEmpty(settings) ? undefined : (kind?.name ?? network),
    transportSettings: isEmpty(settings) ? undefined : settings,
    security: secure ? 'tls' : undefined,
    securitySettings: isEmpty(tls) ? undefined : tls,
    socketSettings: sockopt,
  })
  return isEmpty(written) ? undefined : written
}

const versions: Readonly<Record<string, string>> = {
  '1.0': 'TLS1_0',
  '1.1': 'TLS1_1',
  '1.2': 'TLS1_2',
  '1.3': 'TLS1_3',
}
const usages: Readonly<Record<string, string>> = {
  encipherment: 'ENCIPHERMENT',
  verify: 'AUTHORITY_VERIFY',
  issue: 'AUTHORITY_ISSUE',
  verifyclient: 'AUTHORITY_VERIFY_CLIENT',
}

function tlsOf(fields: Taker): Plain {
  const certificates = asList(fields.take('certificates')).map((each, i) =>
    certificateOf(fields.item('certificates', each, i)),
  )
  const alpn = fields.texts('alpn')
  const pins = fields.texts('pinnedPeerCertificateChainSha256')
  const insecure = fields.take('allowInsecure') === true
  const instead = fields.take('allowInsecureIfPinnedPeerCertificate') === true || insecure
  if (insecure && pins.length === 0)
    fields.losses.say(`${fields.path}.allowInsecure`, true, 'V2Ray 5 forbids it: certificates are verified')
  const written = without({
    serverName: textOr(fields.text('serverName')),
    nextProtocol: alpn.length > 0 ? alpn : undefined,
    certificate: certificates.length > 0 ? certificates : undefined,
    pinnedPeerCertificateChainSha256: pins.length > 0 ? pins : undefined,
    allowInsecureIfPinnedPeerCertificate: (pins.length > 0 && instead) || undefined,
    disableSystemRoot: fields.take('disableSystemRoot') || undefined,
    enableSessionResumption: fields.take('enableSessionResumption') || undefined,
    verifyClientCertificate: fields.take('verifyClientCertificate') || undefined,
    minVersion: versions[fields.text('minVersion')],
    maxVersion: versions[fields.text('maxVersion')],
  })
  fields.lose('fingerprint', 'write "security": "utls" and "imitate" where it is wanted', ['unsafe'])
  fields.end()
  return written
}

function certificateOf(fields: Taker): Plain {
  const pem = (key: 'certificate' | 'key') => {
    const lines = asList(fields.take(key)).map(asText)
    return lines.length > 0 ? btoa(`${lines.join('\n')}\n`) : undefined
  }
  const usage = usages[fields.text('usage').toLowerCase()]
  const [certificateFile, keyFile] = [textOr(fields.text('certificateFile')), textOr(fields.text('keyFile'))]
  const [chain, key] = [pem('certificate'), pem('key')]
  const written = without({
    certificateFile,
    keyFile,
    // Files win there, bytes here.
    Certificate: certificateFile ? undefined : chain,
    Key: keyFile ? undefined : key,
    usage: usage === 'ENCIPHERMENT' ? undefined : usage,
  })
  fields.end()
  return written
}

function sockoptOf(fields: Taker, strategy: string): Plain | undefined {
  const proxied = fields.take('acceptProxyProtocol')
  const own = fields.text('domainStrategy')
  if (own !== '' && own.toLowerCase() !== 'asis' && own !== strategy)
    fields.losses.say(`${fields.path}.domainStrategy`, own, 'V2Ray 5 has one strategy for an outbound')
  const written = without({
    mark: numberOr(fields.take('mark')),
    tcpFastOpen: fields.take('tcpFastOpen'),
    tproxy: textOr(fields.text('tproxy')),
    acceptProxyProtocol: proxied,
    tcpKeepAliveInterval: numberOr(fields.take('tcpKeepAliveInterval')),
    tcpKeepAliveIdle: numberOr(fields.take('tcpKeepAliveIdle')),
    bindToDevice: textOr(fields.text('interface')) ?? textOr(fields.text('bindToDevice')),
    mptcp: fields.take('tcpMptcp') ?? fields.take('mptcp'),
  })
  fields.end()
  return isEmpty(written) ? undefined : written
}

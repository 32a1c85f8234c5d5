/** TLS in the messages of the gRPC API. */
import type { Family, Fields, Typed } from '../../messages/fields.ts'
import { given, wordOf } from '../../messages/values.ts'

const usages = ['encipherment', 'verify', 'issue', 'verifyclient'] as const
const versions = ['', '1.0', '1.1', '1.2', '1.3'] as const

/** A tls.Config as `tlsSettings`. */
export function tlsJson({ fields, family }: Typed): object {
  return {
    ...given({
      allowInsecure: fields.flag('allow_insecure'),
      certificates: fields.messages('certificate').map((entry) => certificateJson(entry, family)),
      serverName: fields.text('server_name'),
      alpn: fields.values<string>('next_protocol'),
      enableSessionResumption: fields.flag('enable_session_resumption'),
      disableSystemRoot: fields.flag('disable_system_root'),
    }),
    ...(family === 'v2ray' ? v2rayJson(fields) : xrayJson(fields)),
  }
}

const v2rayJson = (fields: Fields): object =>
  given({
    pinnedPeerCertificateChainSha256: fields
      .values<Uint8Array>('pinned_peer_certificate_chain_sha256')
      .map((pin) => Buffer.from(pin).toString('base64')),
    allowInsecureIfPinnedPeerCertificate: fields.flag('allow_insecure_if_pinned_peer_certificate'),
    verifyClientCertificate: fields.flag('verify_client_certificate'),
    minVersion: wordOf(fields, 'min_version', versions),
    maxVersion: wordOf(fields, 'max_version', versions),
  })

const xrayJson = (fields: Fields): object =>
  given({
    minVersion: fields.text('min_version'),
    maxVersion: fields.text('max_version'),
    cipherSuites: fields.text('cipher_suites'),
    fingerprint: fields.text('fingerprint'),
    rejectUnknownSni: fields.flag('reject_unknown_sni'),
    masterKeyLog: fields.text('master_key_log'),
    curvePreferences: fields.values<string>('curve_preferences'),
    verifyPeerCertByName: fields.values<string>('verify_peer_cert_by_name').join(','),
    echServerKeys: Buffer.from(fields.bytes('ech_server_keys') ?? []).toString('base64'),
    echConfigList: fields.text('ech_config_list'),
    echForceQuery: fields.text('ech_force_query'),
    pinnedPeerCertSha256: fields
      .values<Uint8Array>('pinned_peer_cert_sha256')
      .map((pin) => Buffer.from(pin).toString('hex'))
      .join(','),
  })

function certificateJson(fields: Fields, family: Family): object {
  const usage = wordOf(fields, 'usage', usages)
  if (family === 'v2ray') {
    return { usage, ...given({ certificate: pem(fields.bytes('Certificate')), key: pem(fields.bytes('Key')) }) }
  }
  // A path comes together with what the sender read there. The contents win: the file may be on the sender's machine.
  const certificate = pem(fields.bytes('certificate'))
  const key = pem(fields.bytes('key'))
  const certificateFile = fields.text('certificate_path')
  const keyFile = fields.text('key_path')
  const once = fields.flag('One_time_loading')
  return {
    usage,
    ...given(certificate.length > 0 ? { certificate } : { certificateFile }),
    ...given(key.length > 0 ? { key } : { keyFile }),
    ...given({ ocspStapling: fields.number('ocsp_stapling'), buildChain: fields.flag('build_chain') }),
    // Contents cannot be read again anyway.
    ...given({ oneTimeLoading: once && certificate.length === 0 }),
  }
}

const pem = (bytes: Uint8Array | undefined): string[] => {
  const text = Buffer.from(bytes ?? [])
    .toString('latin1')
    .trim()
  return text === '' ? [] : text.split(/\r?\n/)
}

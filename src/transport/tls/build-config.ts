/** From decoded `tlsSettings` to the two ends of TLS. */

import type { Context } from '../../schema/context.ts'
import type { SecurityForm } from '../../schema/kind.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { positionOf } from '../../schema/tree.ts'
import { listOf } from '../../schema/values.ts'
import type { PemSource, TlsClientConfig, TlsServerConfig, TlsVersion } from '../../settings/model.ts'
import { type CertificateInput, type TlsInput, tlsSchema } from './config.ts'
import { cipherOf, curveNames, curveOf, suiteNames, tls13Suites } from './names-config.ts'

/** What raw TCP offers when nothing is configured; VMess does not care which one is chosen. */
const defaultAlpn = ['h2', 'http/1.1']

const versions: Readonly<Record<string, TlsVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
}

function buildServer(input: TlsInput, context: Context): TlsServerConfig {
  const { report } = context
  const certificates = readCertificates(input, context)
  if (certificates.own.length === 0 && !report.wrote(input, 'certificates')) {
    const hint = 'write "certificates": [ { "certificateFile": "…", "keyFile": "…" } ]'
    report.error(
      'CFG102',
      report.at(input, 'certificates'),
      'TLS on an inbound needs a certificate and there is none',
      hint,
    )
  } else if (certificates.own.length === 0 && certificates.intact) {
    report.error(
      'CFG102',
      report.at(input, 'certificates'),
      'none of these is a certificate of this server (usage "encipherment")',
    )
  }
  for (const key of clientOnly) withoutUse(input, key, 'only a client uses it', context)
  const verifyClient = input.verifyClientCertificate ?? false
  if (verifyClient && certificates.clientAuthorities.length === 0) {
    const message =
      'there is no certificate of usage "verifyclient": clients are verified against the system’s authorities'
    report.warn('CFG105', report.at(input, 'verifyClientCertificate'), message)
  }
  return {
    ...common(input, context),
    serverName: input.serverName?.trim() ?? '',
    authorities: certificates.authorities,
    certificates: certificates.own,
    rejectUnknownSni: input.rejectUnknownSni ?? false,
    verifyClient,
    clientAuthorities: certificates.clientAuthorities,
  }
}

function buildClient(input: TlsInput, context: Context): TlsClientConfig {
  const { report } = context
  const certificates = readCertificates(input, context)
  for (const key of ['rejectUnknownSni', 'verifyClientCertificate'] as const) {
    withoutUse(input, key, 'only a server uses it', context)
  }
  const pins = readPins(input, context)
  if (input.allowInsecure && pins.pinnedCertSha256.length + pins.pinnedChainSha256.length === 0) {
    const message = 'the server’s certificate is not verified: anybody on the way can pose as the server'
    report.warn('CFG105', report.at(input, 'allowInsecure'), message, 'pin the certificate with "pinnedPeerCertSha256"')
  }
  const names = [...listOf(input.verifyPeerCertByName), ...(input.verifyPeerCertInNames ?? [])]
  return {
    ...common(input, context),
    ...pins,
    authorities: certificates.authorities,
    certificates: certificates.own,
    serverName: input.serverName?.trim() ?? '',
    allowInsecure: input.allowInsecure ?? false,
    verifyNames: names.map((name) => name.trim()).filter((name) => name !== ''),
  }
}

const clientOnly = [
  'allowInsecure',
  'pinnedPeerCertSha256',
  'pinnedPeerCertificateChainSha256',
  'verifyPeerCertByName',
  'verifyPeerCertInNames',
] as const

function withoutUse(input: TlsInput, key: keyof TlsInput, why: string, { report }: Context): void {
  const value = input[key]
  if (!value || (Array.isArray(value) && value.length === 0)) return
  report.warn('CFG030', report.at(input, key), `"${key}" has no effect here: ${why}`)
}

function common(input: TlsInput, context: Context) {
  const { report } = context
  const minVersion = input.minVersion && versions[input.minVersion]
  const maxVersion = input.maxVersion && versions[input.maxVersion]
  if (input.minVersion && input.maxVersion && input.minVersion > input.maxVersion) {
    report.error(
      'CFG023',
      report.at(input, 'minVersion'),
      `"minVersion" ${input.minVersion} is above "maxVersion" ${input.maxVersion}`,
    )
  }
  const ciphers = readCiphers(input.cipherSuites, report.at(input, 'cipherSuites'), context)
  const curves = readCurves(listOf(input.curvePreferences), report.at(input, 'curvePreferences'), context)
  const alpn = listOf(input.alpn).map((name) => name.trim())
  return {
    alpn: alpn.filter((name) => name !== '').length > 0 ? alpn.filter((name) => name !== '') : defaultAlpn,
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
    ...(ciphers && { ciphers }),
    ...(curves && { curves }),
    enableSessionResumption: input.enableSessionResumption ?? false,
    disableSystemRoot: input.disableSystemRoot ?? false,
  }
}

/** OpenSSL's list, with the TLS 1.3 suites: without them Node would stay at TLS 1.2. */
function readCiphers(text: string | undefined, place: Place, { report }: Context): string | undefined {
  const names = (text ?? '').split(':').map((name) => name.trim())
  const chosen: string[] = []
  for (const name of names.filter((candidate) => candidate !== '')) {
    const cipher = cipherOf(name)
    const shown = JSON.stringify(shorten(name, 64))
    if (cipher === undefined) {
      report.warn('CFG107', place, `unknown cipher suite ${shown}; it is left out`, didYouMean(name, suiteNames))
    } else if (cipher === 'always') {
      report.warn('CFG030', place, `${shown} has no effect: the suites of TLS 1.3 are always offered`)
    } else chosen.push(cipher)
  }
  if (chosen.length === 0) return undefined
  return [...tls13Suites, ...chosen].join(':')
}

function readCurves(names: readonly string[], place: Place, { report }: Context): string | undefined {
  const chosen: string[] = []
  const wanted = names.map((name) => name.trim()).filter((name) => name !== '')
  for (const name of wanted) {
    const curve = curveOf(name)
    const shown = JSON.stringify(shorten(name, 64))
    if (curve === undefined) {
      report.warn('CFG107', place, `unknown curve ${shown}; it is left out`, didYouMean(name, curveNames))
    } else if (curve === 'later') {
      report.warn('CFG107', place, `the curve ${shown} needs a newer OpenSSL than Node has; it is left out`)
    } else chosen.push(curve)
  }
  if (wanted.length > 0 && chosen.length === 0) {
    report.error('CFG107', place, 'none of these curves is available', 'write "X25519", or leave the field out')
  }
  return chosen.length === 0 ? undefined : chosen.join(':')
}

function readPins(input: TlsInput, { report }: Context) {
  const pinnedCertSha256: string[] = []
  for (const pin of listOf(input.pinnedPeerCertSha256)) {
    const hex = pin.replaceAll(/[:\s]/g, '').toLowerCase()
    if (/^[0-9a-f]{64}$/.test(hex)) pinnedCertSha256.push(hex)
    else if (hex !== '') {
      const message = `found a pin of ${hex.length} characters, expected the 64 hex digits of a SHA-256 hash`
      report.error(
        'CFG106',
        report.at(input, 'pinnedPeerCertSha256'),
        message,
        '`openssl x509 -fingerprint -sha256` prints them',
      )
    }
  }
  const chains = input.pinnedPeerCertificateChainSha256 ?? []
  for (const [i, pin] of chains.entries()) {
    if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(pin)) continue
    const message = 'expected a SHA-256 hash in base64: 43 characters and a ='
    report.error('CFG106', report.at(chains, i), message)
  }
  return { pinnedCertSha256, pinnedChainSha256: [...chains] }
}

interface Certificates {
  readonly own: { cert: PemSource; key: PemSource }[]
  readonly authorities: PemSource[]
  readonly clientAuthorities: PemSource[]
  /** False when some were wrong, which has been reported. */
  intact: boolean
}

function readCertificates(input: TlsInput, context: Context): Certificates {
  const { report } = context
  const result: Certificates = { own: [], authorities: [], clientAuthorities: [], intact: true }
  for (const entry of input.certificates ?? []) {
    const cert = readPem(entry, 'certificateFile', 'certificate', context)
    const key = readPem(entry, 'keyFile', 'key', context)
    const usage = entry.usage ?? 'encipherment'
    const place = report.at(entry)
    if (usage === 'issue') {
      const message = 'issuing certificates on the fly is not supported'
      report.error(
        'CFG031',
        report.at(entry, 'usage'),
        message,
        'create a certificate for the name, and write its files here',
      )
    } else if (!cert) {
      if (cert === undefined) report.error('CFG103', place, 'this entry has no certificate', 'write "certificateFile"')
    } else if (usage === 'verify') result.authorities.push(cert)
    else if (usage === 'verifyclient') result.clientAuthorities.push(cert)
    else if (key) result.own.push({ cert, key })
    else if (key === undefined) report.error('CFG103', place, 'this certificate has no private key', 'write "keyFile"')
    if (usage === 'issue' || !cert || (usage === 'encipherment' && !key)) result.intact = false
  }
  return result
}

/** A file, or text given inline; undefined when there is neither, null after an error. */
function readPem(
  entry: CertificateInput,
  fileKey: 'certificateFile' | 'keyFile',
  inlineKey: 'certificate' | 'key',
  { report }: Context,
): PemSource | null | undefined {
  const path = entry[fileKey]
  if (path) return { path, ...whereIs(report.at(entry, fileKey)) }
  const inline = entry[inlineKey]
  if (inline === undefined) return report.wrote(entry, inlineKey) || report.wrote(entry, fileKey) ? null : undefined
  const pem = `${typeof inline === 'string' ? inline : inline.join('\n')}\n`
  const place = report.at(entry, inlineKey)
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(pem)) return { pem, ...whereIs(place) }
  report.error(
    'CFG108',
    place,
    'this is not PEM: there is no "-----BEGIN …-----" line',
    `a path belongs in "${fileKey}"`,
  )
  return null
}

/** Where a source was written, for messages of those who read the file. */
function whereIs(place: Place): Pick<PemSource, 'at' | 'file' | 'line' | 'column'> {
  return { at: place.path, file: place.source.name, ...positionOf(place.source, place.offset) }
}

export const tlsForm: SecurityForm<typeof tlsSchema, TlsClientConfig, TlsServerConfig> = {
  schema: tlsSchema,
  buildClient,
  buildServer,
}

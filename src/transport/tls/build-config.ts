/** From decoded `tlsSettings` to the two ends of TLS. */

import type { Context } from '../../schema/context.ts'
import type { SecurityForm } from '../../schema/kind.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { TlsClientConfig, TlsServerConfig, TlsVersion } from '../../settings/model.ts'
import { readCertificates } from './certificates-config.ts'
import { type TlsInput, tlsSchema } from './config.ts'
import { cipherOf, curveNames, curveOf, suiteNames, tls13Suites } from './names-config.ts'
import { readPins } from './pins-config.ts'

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
  const certificates = readCertificates(input, 'server', context)
  const none = certificates.own.length + certificates.issuers.length === 0
  if (none && !report.wrote(input, 'certificates')) {
    const hint = 'write "certificates": [ { "certificateFile": "…", "keyFile": "…" } ]'
    report.error(
      'CFG102',
      report.at(input, 'certificates'),
      'TLS on an inbound needs a certificate and there is none',
      hint,
    )
  } else if (none && certificates.intact) {
    report.error(
      'CFG102',
      report.at(input, 'certificates'),
      'none of these is a certificate of this server (usage "encipherment"), or an authority that issues some ("issue")',
    )
  }
  for (const { cert } of certificates.issuers.slice(1)) {
    const place = report.at(input, 'certificates')
    report.warn(
      'CFG030',
      place,
      `of several authorities that issue certificates the first is used; ${cert.at} has no effect`,
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
    issuers: certificates.issuers,
    rejectUnknownSni: input.rejectUnknownSni ?? false,
    verifyClient,
    clientAuthorities: certificates.clientAuthorities,
  }
}

function buildClient(input: TlsInput, context: Context): TlsClientConfig {
  const { report } = context
  const certificates = readCertificates(input, 'client', context)
  for (const key of ['rejectUnknownSni', 'verifyClientCertificate'] as const) {
    withoutUse(input, key, 'only a server uses it', context)
  }
  const pins = readPins(input, context)
  const pinned = Object.values(pins).some(({ length }) => length > 0)
  if (input.allowInsecureIfPinnedPeerCertificate && pins.pinnedChainSha256.length === 0) {
    withoutUse(input, 'allowInsecureIfPinnedPeerCertificate', 'there is no "pinnedPeerCertificateChainSha256"', context)
  }
  if (input.allowInsecure && !pinned) {
    const message = 'the server’s certificate is not verified: anybody on the way can pose as the server'
    report.warn('CFG105', report.at(input, 'allowInsecure'), message, 'pin the certificate with "pinnedPeerCertSha256"')
  }
  const suffices = (input.allowInsecureIfPinnedPeerCertificate ?? false) && pins.pinnedChainSha256.length > 0
  const names = [...listOf(input.verifyPeerCertByName), ...(input.verifyPeerCertInNames ?? [])]
  return {
    ...common(input, context),
    ...pins,
    authorities: certificates.authorities,
    certificates: certificates.own.map(({ cert, key }) => ({ cert, key })),
    serverName: input.serverName?.trim() ?? '',
    allowInsecure: input.allowInsecure || suffices,
    verifyNames: names.map((name) => name.trim()).filter((name) => name !== ''),
  }
}

const clientOnly = [
  'allowInsecure',
  'allowInsecureIfPinnedPeerCertificate',
  'pinnedPeerCertSha256',
  'pinnedPeerCertificateChainSha256',
  'pinnedPeerCertificatePublicKeySha256',
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
    masterKeyLog: readKeyLog(input, context),
  }
}

/** Xray means nothing by the word none. */
function readKeyLog(input: TlsInput, { report }: Context): string {
  const path = input.masterKeyLog ?? ''
  if (path === '' || path.toLowerCase() === 'none') return ''
  const message =
    'the keys of every connection are written to this file: who has it can read what was encrypted with them'
  report.warn('CFG110', report.at(input, 'masterKeyLog'), message, 'leave it out but for looking for a fault')
  return path
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

export const tlsForm: SecurityForm<typeof tlsSchema, TlsClientConfig, TlsServerConfig> = {
  schema: tlsSchema,
  buildClient,
  buildServer,
}

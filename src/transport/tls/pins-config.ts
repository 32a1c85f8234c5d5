/** Pins of a client: hashes of certificates, chains and public keys. */
import type { Context } from '../../schema/context.ts'
import { listOf } from '../../schema/values.ts'
import type { TlsClientConfig } from '../../settings/model.ts'
import type { TlsInput } from './config.ts'

type Pins = Pick<TlsClientConfig, 'pinnedCertSha256' | 'pinnedChainSha256' | 'pinnedPublicKeySha256'>

export function readPins(input: TlsInput, context: Context): Pins {
  return {
    pinnedCertSha256: readHex(input, context),
    pinnedChainSha256: readBase64(input, 'pinnedPeerCertificateChainSha256', context),
    pinnedPublicKeySha256: readBase64(input, 'pinnedPeerCertificatePublicKeySha256', context),
  }
}

function readHex(input: TlsInput, { report }: Context): string[] {
  const pins: string[] = []
  for (const pin of listOf(input.pinnedPeerCertSha256)) {
    const hex = pin.replaceAll(/[:\s]/g, '').toLowerCase()
    if (/^[0-9a-f]{64}$/.test(hex)) pins.push(hex)
    else if (hex !== '') {
      const place = report.at(input, 'pinnedPeerCertSha256')
      const message = `found a pin of ${hex.length} characters, expected the 64 hex digits of a SHA-256 hash`
      report.error('CFG106', place, message, '`openssl x509 -fingerprint -sha256` prints them')
    }
  }
  return pins
}

function readBase64(
  input: TlsInput,
  key: 'pinnedPeerCertificateChainSha256' | 'pinnedPeerCertificatePublicKeySha256',
  { report }: Context,
): string[] {
  const pins = input[key] ?? []
  for (const [i, pin] of pins.entries()) {
    if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(pin)) continue
    report.error('CFG106', report.at(pins, i), 'expected a SHA-256 hash in base64: 43 characters and a =')
  }
  return [...pins]
}
